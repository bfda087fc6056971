// SPDX-License-Identifier: MIT
// What kernel and processes agree on: the numbers of the system calls and what they exchange.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint8_t  u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

enum call {
#define CALL(name) CALL_##name,
#include "call.def"
};

#define LINE_SIZE  1024 // of a command line, its end included
#define NAME_SIZE  16
#define BLOCK_SIZE 512 // of the disk

// What the kernel does wrong if asked: kernel/syscall.c.
enum mischief { MISCHIEF_SPIN, MISCHIEF_TRAP, MISCHIEF_FAIL, MISCHIEF_HANG, MISCHIEF_STORM };

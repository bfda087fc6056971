// SPDX-License-Identifier: MIT
// What kernel and processes agree on: the numbers of the system calls and what they exchange.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t  u8;
typedef uint32_t u32;
typedef uint64_t u64;

enum call {
#define CALL(name) CALL_##name,
#include "call.def"
#undef CALL
    CALLS
};

#define LINE_SIZE 1024 // of a command line, its end included
#define NAME_SIZE 16

// What `list` tells about a process.
struct info {
    u64  pid;
    u64  waits_in; // the call it waits in, or CALLS: it is ready to run
    char name[NAME_SIZE];
};

// What the kernel does wrong if asked: kernel/mischief.c.
enum mischief { MISCHIEF_SPIN, MISCHIEF_TRAP, MISCHIEF_FAIL, MISCHIEF_HANG, MISCHIEF_STORM };

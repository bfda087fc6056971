// SPDX-License-Identifier: MIT
// Recognises a kernel: the RISC-V Linux Image, and by name the things people give instead.

#pragma once

#include "file.h"

#include <stdbool.h>
#include <stdint.h>

// Where a RISC-V Image wants to lie, from its own header.
struct kernel_needs {
    uint64_t text_offset;   // from the start of RAM, which is 2 MiB-aligned
    uint64_t size;          // in memory: with .bss, so more than the file
};

// On false the mistake has been told.
bool kernel_check(const struct blob *b, const char *path, struct kernel_needs *needs);

// SPDX-License-Identifier: MIT
// The monitor's own faults.  A guest can reach none of these: what a guest does wrong is raised
// in the guest or stops its virtual machine.
#pragma once

#include "lib/types.h"

// Prints cause, registers and a backtrace, then powers the machine off with a failure code.
NORETURN void panic(const char *format, ...) PRINTF(1, 2);

#define ASSERT(cond)                                                                               \
    do {                                                                                           \
        if (UNLIKELY(!(cond)))                                                                     \
            panic("%s:%d: not so: %s", __FILE__, __LINE__, #cond);                                 \
    } while (0)

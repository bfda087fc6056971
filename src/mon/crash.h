// SPDX-License-Identifier: MIT
// Reports of crashes.
#pragma once

#include "vm/vm.h"

#define CRASH_FRAMES 16

// What a VM was like when it crashed; all zero: it has not.
struct crash {
    const char *why; // a constant sentence
    u64         start, at_ticks;
    u32         vcpu;
    enum mode   mode;
    u64         x[32], pc;
    struct csrs csr;
    unsigned    n_frames, n_exits;
    u64         frames[CRASH_FRAMES];
    struct exit exits[TRACE_EXITS]; // the oldest first
};

// Its registers and memory stand still.
void crash_take(struct crash *c, const struct vm *vm);
// Writes line n of the report to the log; false: that was the last.  A line at a time, since others
// wait meanwhile.
bool crash_log(const struct crash *c, const struct vm *vm, unsigned n);

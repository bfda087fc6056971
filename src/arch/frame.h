// SPDX-License-Identifier: MIT
// What trap.S keeps of a guest between its trap and its next instruction.  Read by assembly and C.
#pragma once

#define FRAME_X(n)    (8 * (n))
#define FRAME_PC      256
#define FRAME_CAUSE   264
#define FRAME_TVAL    272
#define FRAME_HOST_SP 280
#define FRAME_SIZE    288

// What trap_hot() answers.
#define HOT_NO      0 // not done: the trap takes the long way
#define HOT_SCRATCH 1 // done; only registers that C may clobber have to be loaded again
#define HOT_ALL     2 // done, and one of the others was written
#define HOT_PENDING 3 // done, but something must be looked at before the guest goes on

#ifndef __ASSEMBLER__
#include "lib/types.h"

struct frame {
    u64 x[32]; // x[0] is 0 and stays so
    u64 pc;    // mepc at the trap; where the guest goes on
    u64 cause; // mcause
    u64 tval;  // mtval
    u64 host_sp;
};
_Static_assert(offsetof(struct frame, pc) == FRAME_PC, "frame");
_Static_assert(offsetof(struct frame, tval) == FRAME_TVAL, "frame");
_Static_assert(offsetof(struct frame, host_sp) == FRAME_HOST_SP, "frame");
_Static_assert(sizeof(struct frame) == FRAME_SIZE, "frame");

// Enters the guest whose state is in *f; returns when it traps, with *f filled anew.
// The caller is on its hart with interrupts off.
void guest_run(struct frame *f);

// Asked by trap.S for each illegal instruction before the long way is taken.  `insn` is mtval; pc,
// cause and tval are not in the frame yet, and trap.S steps over what was done.  On HOT_NO nothing
// has changed.
u64 trap_hot(struct frame *f, u64 insn);

// A trap in the monitor's own code: never returns.
NORETURN void own_trap(const struct frame *f);
#endif

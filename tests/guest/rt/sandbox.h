// SPDX-License-Identifier: MIT
// A sandbox for any instruction at all: it stands in the middle of a page of c.ebreak, all
// registers point where nothing is mapped, and so whatever it does, a trap follows at once.  What
// the trap shows (cause, pc, tval, all integer registers) goes into a hash.
//
// A jump to itself is skipped.  Not for instructions that wait (wfi), that end the run's mode
// (sret) or that read what runs by itself (counters).  The floating-point unit is on and starts
// from zeros.
#pragma once

#include "guest.h"

void sandbox_open(enum mode mode);
void sandbox_close(void);
// The trap of one instruction of 2 or 4 bytes, added to a hash.
u64  sandbox_try(u64 h, u32 insn, int bytes);
// The floating-point registers as they are now, added to a hash.
u64  sandbox_fp(u64 h);

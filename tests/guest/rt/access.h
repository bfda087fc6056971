// SPDX-License-Identifier: MIT
// One memory access of any kind, from either mode: every load, store, LR, SC and AMO, and a jump.
#pragma once

#include "guest.h"

struct access {
    const char *name;
    u32         insn;       // address in a1, data in a2, result in a0
    int         bytes;
    bool        loads;
    bool        stores;
    bool        atomic;
};

#define ACCESS_COUNT 18
extern const struct access accesses[ACCESS_COUNT];

enum {
    ACCESS_LB, ACCESS_LBU, ACCESS_LH, ACCESS_LHU, ACCESS_LW, ACCESS_LWU, ACCESS_LD,
    ACCESS_SB, ACCESS_SH, ACCESS_SW, ACCESS_SD,
    ACCESS_LR_W, ACCESS_LR_D, ACCESS_SC_W, ACCESS_SC_D, ACCESS_AMO_W, ACCESS_AMO_D,
    ACCESS_FETCH,
};

// Does it and says which trap came: CAUSE_NONE when it went through.  For the jump that means that
// the target, which must hold an ebreak, was reached.  c shows the registers: c->x[A0] is the
// result.  With paging on, U-mode code runs from the standard address space's alias of code_page.
u64 access_try(struct cpu *c, enum mode mode, int kind, u64 at, u64 data);

// The same with just the cause: for hashes and short lines.
u64 access_cause(enum mode mode, int kind, u64 at);

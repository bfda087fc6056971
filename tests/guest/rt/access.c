// SPDX-License-Identifier: MIT
// One memory access of any kind, from either mode.
#include "access.h"

#include "insn.h"
#include "page.h"

const struct access accesses[ACCESS_COUNT] = {
    [ACCESS_LB]    = { "lb",       0x00058503, 1, true,  false, false },
    [ACCESS_LBU]   = { "lbu",      0x0005c503, 1, true,  false, false },
    [ACCESS_LH]    = { "lh",       0x00059503, 2, true,  false, false },
    [ACCESS_LHU]   = { "lhu",      0x0005d503, 2, true,  false, false },
    [ACCESS_LW]    = { "lw",       0x0005a503, 4, true,  false, false },
    [ACCESS_LWU]   = { "lwu",      0x0005e503, 4, true,  false, false },
    [ACCESS_LD]    = { "ld",       0x0005b503, 8, true,  false, false },
    [ACCESS_SB]    = { "sb",       0x00c58023, 1, false, true,  false },
    [ACCESS_SH]    = { "sh",       0x00c59023, 2, false, true,  false },
    [ACCESS_SW]    = { "sw",       0x00c5a023, 4, false, true,  false },
    [ACCESS_SD]    = { "sd",       0x00c5b023, 8, false, true,  false },
    [ACCESS_LR_W]  = { "lr.w",     0x1005a52f, 4, true,  false, true  },
    [ACCESS_LR_D]  = { "lr.d",     0x1005b52f, 8, true,  false, true  },
    [ACCESS_SC_W]  = { "sc.w",     0x18c5a52f, 4, false, true,  true  },
    [ACCESS_SC_D]  = { "sc.d",     0x18c5b52f, 8, false, true,  true  },
    [ACCESS_AMO_W] = { "amoadd.w", 0x00c5a52f, 4, true,  true,  true  },
    [ACCESS_AMO_D] = { "amoadd.d", 0x00c5b52f, 8, true,  true,  true  },
    [ACCESS_FETCH] = { "jalr",     0x000580e7, 4, false, false, false },
};

static u64 code_of(int kind)
{
    u64 at = (u64)code_page + 8 * (u64)kind;
    u32 words[2] = { accesses[kind].insn, INSN_EBREAK };

    if (*(u32 *)at != words[0] || *(u32 *)(at + 4) != words[1]) {
        ((u32 *)at)[0] = words[0];
        ((u32 *)at)[1] = words[1];
        fence_i();
    }
    return at;
}

u64 access_try(struct cpu *c, enum mode mode, int kind, u64 at, u64 data)
{
    u64 pc = code_of(kind);
    u64 done;

    if (mode == MODE_U && csr_read(CSR_SATP))
        pc = user_alias(pc);
    done = kind == ACCESS_FETCH ? at & ~1ul : pc + 4;
    cpu_init(c, mode, pc);
    c->x[A1] = at;
    c->x[A2] = data;
    cpu_run(c);
    return c->cause == CAUSE_BREAKPOINT && c->pc == done ? CAUSE_NONE : c->cause;
}

u64 access_cause(enum mode mode, int kind, u64 at)
{
    struct cpu c;

    return access_try(&c, mode, kind, at, 0);
}

// SPDX-License-Identifier: MIT
// sret: where it goes, in which mode, and what becomes of SPP, SPIE and SIE.
// Shows: C2
#include "insn.h"

// Runs sret in S-mode with a1 in sepc and a2 in sstatus; at +16 the target reads sstatus if it may.
static void sret_try(u64 spp, u64 spie, u64 sie)
{
    u64        seen = SSTATUS_SIE | SSTATUS_SPIE | SSTATUS_SPP;
    u64        rest = csr_read(CSR_SSTATUS) & ~seen;
    struct cpu c;
    u64        base = CODE(insn_csr(CSRRW, ZERO, CSR_SEPC, A1),
                           insn_csr(CSRRW, ZERO, CSR_SSTATUS, A2), INSN_SRET, INSN_EBREAK,
                           insn_csr(CSRRS, A0, CSR_SSTATUS, ZERO), INSN_EBREAK);

    cpu_init(&c, MODE_S, base);
    c.x[A0] = 0;
    c.x[A1] = base + 16;
    c.x[A2] = rest | spp | spie | sie;
    cpu_run(&c);
    printf("SPP %d SPIE %d SIE %d: %s pc %+ld, sstatus at the target %#lx, after the trap %#lx\n",
           !!spp, !!spie, !!sie, cause_text(c.cause), (long)(c.pc - base), c.x[A0] & seen,
           c.sstatus & seen);
}

static void sret_to(u64 target)
{
    struct cpu c;
    u64        base = CODE(insn_csr(CSRRW, ZERO, CSR_SEPC, A1), INSN_SRET, INSN_EBREAK);

    cpu_init(&c, MODE_S, base);
    c.x[A1] = target;
    cpu_run(&c);
    printf("sret to %#lx: %s pc %#lx tval %#lx\n", target, cause_text(c.cause), c.pc, c.tval);
}

GUEST(trap_sret)
{
    static const u64 targets[] = {
        0, 2, 0x84000000, 0x100000000, 1ul << 38, 1ul << 47, 1ul << 56, 1ul << 63, ~1ul,
    };

    for (int i = 0; i < 8; i++)
        sret_try(i & 4 ? SSTATUS_SPP : 0, i & 2 ? SSTATUS_SPIE : 0, i & 1 ? SSTATUS_SIE : 0);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        sret_to(targets[i]);
}

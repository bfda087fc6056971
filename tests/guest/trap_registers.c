// SPDX-License-Identifier: MIT
// Every integer register through every kind of trap and every emulated instruction, with random
// values: none is lost, none is changed but the one that is meant.
// Shows: C6 C7
#include "insn.h"

static const struct {
    const char *name;
    u32         insn;
    int         changes;        // the register it is meant to change, or 0
} insns[] = {
    { "ebreak", INSN_EBREAK, 0 },
    { "illegal", 0, 0 },
    { "csrr a0, sstatus", 0x10002573, A0 },
    { "csrr t6, sie", 0x10402ff3, T6 },
    { "csrr ra, satp", 0x180020f3, RA },
    { "csrw sepc, s11", 0x141d9073, 0 },
    { "csrrw sp, scause, s0", 0x14241173, SP },
    { "csrrci gp, sip, 0", 0x144071f3, GP },
    { "sfence.vma a0, a1", 0x12b50073, 0 },
    { "sfence.vma", INSN_SFENCE, 0 },
    { "fence.i", INSN_FENCE_I, 0 },
    { "rdtime tp", 0xc0102273, TP },
    { "rdinstret x1", 0xc02020f3, RA },
};

GUEST(trap_registers)
{
    u64 seed = 12345;

    for (size_t i = 0; i < sizeof insns / sizeof *insns; i++) {
        u64 base = CODE(insns[i].insn, INSN_EBREAK);
        int wrong = 0;

        for (int round = 0; round < 200; round++) {
            struct cpu c;
            u64        x[32];

            cpu_init(&c, MODE_S, base);
            for (int r = 1; r < 32; r++)
                c.x[r] = x[r] = random_next(&seed);
            cpu_run(&c);
            for (int r = 1; r < 32; r++)
                wrong += r != insns[i].changes && c.x[r] != x[r];
        }
        printf("%s: %d wrong\n", insns[i].name, wrong);
    }
}

// SPDX-License-Identifier: MIT
// ecall from U-mode is the kernel's, whatever the registers hold; it is never an SBI call.
// Shows: C4
#include "insn.h"

GUEST(trap_ecall)
{
    static const u64 a7[] = { 0, 1, 8, SBI_BASE, SBI_SRST, SBI_HSM, ~0ul };

    for (size_t i = 0; i < sizeof a7 / sizeof *a7; i++) {
        struct cpu c;
        u64        base = CODE(INSN_NOP, INSN_ECALL, INSN_EBREAK);
        int        changed = 0;

        cpu_init(&c, MODE_U, base);
        c.x[A7] = a7[i];
        c.x[A6] = 0;
        cpu_run(&c);
        for (u64 r = 1; r < 32; r++)
            if (r != A6 && r != A7 && c.x[r] != 0x0101010101010101 * r)
                changed++;
        cpu_print("ecall", &c, base);
        printf("  %d registers changed, SPP %lu\n", changed, c.sstatus >> 8 & 1);
    }
}

// SPDX-License-Identifier: MIT
// scounteren: each of its bits gives U-mode its counter and nothing else; S-mode does not ask it.
// What U-mode gets of the time without the bit is left open ("-"): see README.md.
// Shows: C10
#include "insn.h"

GUEST(time_gating)
{
    static const u32 numbers[] = { CSR_CYCLE, CSR_TIME, CSR_INSTRET, 0xc03, 0xc04, 0xc1f };

    for (u64 enabled = 0; enabled < 16; enabled++) {
        csr_write(CSR_SCOUNTEREN, enabled);
        printf("scounteren %lx:", enabled);
        for (enum mode mode = MODE_U; mode <= MODE_S; mode++)
            for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
                struct cpu c;
                u64        base = CODE(insn_csr(CSRRS, A0, numbers[i], ZERO), INSN_EBREAK);

                cpu_init(&c, mode, base);
                cpu_run(&c);
                if (mode == MODE_U && numbers[i] == CSR_TIME && !(enabled & 2))
                    printf(" -");
                else
                    printf(" %c", c.cause == CAUSE_BREAKPOINT ? 'y' : c.cause == CAUSE_ILLEGAL
                           && c.tval == insn_csr(CSRRS, A0, numbers[i], ZERO) ? 'n' : '?');
            }
        printf("\n");
    }
    csr_write(CSR_SCOUNTEREN, 7);
}

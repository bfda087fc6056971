// SPDX-License-Identifier: MIT
// An SBI call changes a0 and a1 and no other register, nor sie.
// Shows: S1 C7
#include "insn.h"

GUEST(sbi_regs)
{
    static const struct {
        u64 eid, fid, a0, a1;
    } calls[] = {
        { SBI_BASE, 0, 0, 0 }, { SBI_BASE, 3, SBI_HSM, 0 }, { SBI_TIME, 0, ~0ul, 0 },
        { SBI_IPI, 0, 0, 0 }, { SBI_RFENCE, 0, 1, 0 }, { SBI_RFENCE, 1, 1, 0 },
        { SBI_HSM, 2, 0, 0 }, { 0x0badcafe, 0, 0, 0 }, { SBI_HSM, 0, 7, 0 },
    };
    u64 seed = 4711;

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        struct cpu c;
        u64        x[32];
        u64        base = CODE(INSN_ECALL, INSN_EBREAK);
        u64        sie = csr_read(CSR_SIE);
        int        changed = 0;

        cpu_init(&c, MODE_S, base);
        for (int r = 1; r < 32; r++)
            x[r] = random_next(&seed);
        x[A0] = calls[i].a0;
        x[A1] = calls[i].a1;
        x[A2] = x[A3] = x[A4] = 0;
        x[A6] = calls[i].fid;
        x[A7] = calls[i].eid;
        for (int r = 1; r < 32; r++)
            c.x[r] = x[r];
        cpu_run(&c);
        for (int r = 1; r < 32; r++)
            changed += r != A0 && r != A1 && c.x[r] != x[r];
        printf("%#lx %lu: error %ld, %d registers changed, %s\n", calls[i].eid, calls[i].fid,
               (long)c.x[A0], changed, csr_read(CSR_SIE) == sie ? "sie kept" : "sie changed");
    }
}

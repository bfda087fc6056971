// SPDX-License-Identifier: MIT
// The supervisor's CSRs from U-mode: illegal, read or written, and unchanged afterwards.
// Shows: C1 C2
#include "insn.h"

GUEST(csr_user)
{
    static const u32 numbers[] = {
        CSR_SSTATUS, CSR_SIE, CSR_STVEC, CSR_SCOUNTEREN, CSR_SENVCFG, CSR_SSCRATCH, CSR_SEPC,
        CSR_SCAUSE, CSR_STVAL, CSR_SIP, CSR_SATP,
    };
    u64 stvec = csr_read(CSR_STVEC);

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        for (u32 form = CSRRW; form <= CSRRCI; form++) {
            struct cpu c;
            u64        base = CODE(insn_csr(form, A0, numbers[i], ZERO), INSN_EBREAK);

            if (form == 4)
                continue;
            cpu_init(&c, MODE_U, base);
            cpu_run(&c);
            printf("%03x form %u: %s pc %+ld tval %#lx a0 %#lx\n", numbers[i], form,
                   cause_text(c.cause), (long)(c.pc - base), c.tval, c.x[A0]);
        }
    }
    printf("satp %#lx stvec %s sie %#lx\n", csr_read(CSR_SATP),
           csr_read(CSR_STVEC) == stvec ? "kept" : "changed", csr_read(CSR_SIE));
}

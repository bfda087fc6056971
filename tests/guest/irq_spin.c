// SPDX-License-Identifier: MIT
// The timer ends an endless loop in U-mode and in S-mode, with all registers as they were; also
// when the loop is one of emulated instructions or of SBI calls.
// Shows: C8 C9
#include "insn.h"

static void spin_try(const char *what, enum mode mode, u64 base)
{
    struct cpu c;
    int        changed = 0;

    cpu_init(&c, mode, base);
    c.sstatus |= SSTATUS_SPIE;
    c.x[A7] = SBI_BASE;
    c.x[A6] = 0;
    csr_write(CSR_SIE, INT_STI);
    timer_set(time_now() + 3 * TICKS_PER_MS);
    cpu_run(&c);
    csr_write(CSR_SIE, 0);
    timer_set(~0ul);
    for (u64 r = 1; r < 32; r++)
        changed += r != A0 && r != A1 && r != A6 && r != A7 && c.x[r] != 0x0101010101010101 * r;
    printf("%s in %c: %s, pc %s, %d registers changed, sstatus %#lx\n", what,
           mode == MODE_U ? 'U' : 'S', cause_text(c.cause),
           c.pc >= base && c.pc < base + 16 ? "in the loop" : "elsewhere", changed,
           c.sstatus & (SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_SIE));
}

GUEST(irq_spin)
{
    spin_try("j .", MODE_U, CODE(0x0000006f));
    spin_try("j .", MODE_S, CODE(0x0000006f));
    spin_try("additions", MODE_U, CODE(insn_addi(A0, A0, 1), 0xffdff06f));
    spin_try("additions", MODE_S, CODE(insn_addi(A0, A0, 1), 0xffdff06f));
    spin_try("csrr sstatus", MODE_S, CODE(insn_csr(CSRRS, A0, CSR_SSTATUS, ZERO), 0xffdff06f));
    spin_try("sfence.vma", MODE_S, CODE(INSN_SFENCE, 0xffdff06f));
    spin_try("rdtime", MODE_U, CODE(insn_csr(CSRRS, A0, CSR_TIME, ZERO), 0xffdff06f));
    spin_try("wfi", MODE_S, CODE(INSN_WFI, 0xffdff06f));
    spin_try("ecall", MODE_S, CODE(insn_addi(A7, ZERO, SBI_BASE), insn_addi(A6, ZERO, 3),
                                   INSN_ECALL, 0xff5ff06f));
}

// SPDX-License-Identifier: MIT
// wfi in S-mode: it ends when an enabled interrupt pends although SIE is clear, without a trap, and
// goes on behind itself; with SIE set the trap's pc is behind it too.
// Shows: C3
#include "insn.h"

GUEST(trap_wfi)
{
    struct cpu c;
    u64        base = CODE(INSN_WFI, INSN_EBREAK);
    u64        start;

    csr_write(CSR_SIE, INT_SSI);
    csr_set(CSR_SIP, INT_SSI);
    cpu_init(&c, MODE_S, base);
    cpu_run(&c);
    cpu_print("SSIP pends, SIE clear", &c, base);
    csr_clear(CSR_SIP, INT_SSI);

    // The timer ends it.  A hart may also resume for no reason, hence the loop.
    csr_write(CSR_SIE, INT_STI);
    start = time_now();
    timer_set(start + 5 * TICKS_PER_MS);
    while (!(csr_read(CSR_SIP) & INT_STI))
        __asm__ volatile("wfi");
    printf("timer: %s\n", time_now() - start >= 5 * TICKS_PER_MS ? "in time" : "early");

    // Interrupts on: whether the wfi was left by a spurious resume or not, pc is not before it.
    base = CODE(INSN_WFI, 0xffdff06f);              // wfi; j .-4
    cpu_init(&c, MODE_S, base);
    c.sstatus |= SSTATUS_SPIE;
    timer_set(time_now() + 5 * TICKS_PER_MS);
    cpu_run(&c);
    printf("SIE set: %s\n", cause_text(c.cause));
    timer_set(~0ul);
    csr_write(CSR_SIE, 0);

    base = CODE(INSN_WFI, INSN_EBREAK);
    cpu_init(&c, MODE_U, base);
    cpu_run(&c);
    cpu_print("from U", &c, base);
}

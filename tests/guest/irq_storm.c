// SPDX-License-Identifier: MIT
// Many interrupts and many deadlines in a short time: none of the kernel's own is lost, and a
// deadline moved a hundred thousand times rings once.
// Shows: C8 C9
#include "guest.h"

static volatile u64 ssi, sti;

static void on_any(u64 cause)
{
    if (cause == (CAUSE_INTERRUPT | 1)) {
        csr_clear(CSR_SIP, INT_SSI);
        ssi++;
    } else {
        timer_set(~0ul);
        sti++;
    }
}

GUEST(irq_storm)
{
    on_irq = on_any;
    csr_set(CSR_SIE, INT_SSI | INT_STI);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    for (int i = 0; i < 20000; i++)
        csr_set(CSR_SIP, INT_SSI);
    printf("software: %lu\n", ssi);

    for (int i = 0; i < 5000; i++)
        timer_set(0);
    printf("timer at once: %lu\n", sti);

    sti = 0;
    for (int i = 0; i < 20000; i++)
        timer_set(time_now() + 1000 * TICKS_PER_MS);
    timer_set(time_now() + TICKS_PER_MS);
    wait_for(sti > 0, 1000ul);
    wait_for(false, 3ul);
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    printf("timer moved: %lu\n", sti);
}

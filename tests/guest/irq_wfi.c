// SPDX-License-Identifier: MIT
// Sleeping until the timer, a hundred times: each tick is taken exactly once, none is early, and
// the sleeper always wakes.
// Shows: C8 D10
#include "guest.h"

static volatile u64 ticks, early, deadline;

static void on_sti(u64 cause)
{
    (void)cause;
    early += time_now() < deadline;
    ticks++;
    timer_set(~0ul);
}

GUEST(irq_wfi)
{
    on_irq = on_sti;
    csr_set(CSR_SIE, INT_STI);
    for (u64 i = 0; i < 100; i++) {
        deadline = time_now() + i * 20;
        timer_set(deadline);
        while (ticks == i) {
            // Not between the look and the sleep: wfi wakes although SIE is clear.
            csr_clear(CSR_SSTATUS, SSTATUS_SIE);
            if (ticks == i)
                __asm__ volatile("wfi");
            csr_set(CSR_SSTATUS, SSTATUS_SIE);
        }
    }
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    printf("%lu ticks, %lu early\n", ticks, early);
}

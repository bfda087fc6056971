// SPDX-License-Identifier: MIT
// A constrained LR/SC loop under ten thousand timer interrupts a second: it makes progress, and no
// increment is lost or done twice.
// Shows: C5 C8
#include "guest.h"

static volatile u64 ticks;
static u64          word;

static void on_sti(u64 cause)
{
    (void)cause;
    ticks++;
    timer_set(time_now() + TICKS_PER_MS / 10);
}

GUEST(atom_lrsc_ticks)
{
    u64 done = 0;

    on_irq = on_sti;
    csr_set(CSR_SIE, INT_STI);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    timer_set(0);
    while (ticks < 200 && done < 200000000) {
        __asm__ volatile("1: lr.d t0, (%0)\n"
                         "   addi t0, t0, 1\n"
                         "   sc.d t1, t0, (%0)\n"
                         "   bnez t1, 1b\n" :: "r"(&word) : "t0", "t1", "memory");
        done++;
    }
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    timer_set(~0ul);
    printf("%s, %s\n", ticks >= 200 ? "200 ticks" : "too few ticks",
           word == done ? "all counted" : "miscounted");
}

// SPDX-License-Identifier: MIT
// Storms: of timers (C8), of interrupts to itself (C9), of alarms of the clock, of a UART whose
// interrupt is never completed or never goes away; with interrupts on, so that each is taken.
// way=0 timers by SBI, 1 by stimecmp, 2 IPIs by SBI, 3 by sip, 4 RTC alarms, 5 UART line up and
// down, 6 UART line stuck, never completed, 7 stuck, claimed and completed for ever.
// Shows: C8 C9 S4
#include "hostile.h"

static volatile u64 taken;
static u64          way;

static void on_storm(u64 cause)
{
    taken++;
    switch (cause & ~CAUSE_INTERRUPT) {
    case 1:
        csr_clear(CSR_SIP, INT_SSI);
        break;
    case 5:
        timer_set(taken % 2 ? ~0ul : time_now() + 1);
        break;
    case 9:
        if (way == 6) { // never completed, and still up
            plic_claim();
            csr_clear(CSR_SIE, taken > 4 ? INT_SEI : 0);
        } else
            plic_complete(plic_claim());
        if (way == 4)
            poke32(RTC + RTC_CLEAR_INTERRUPT, 1);
        if (way == 5)
            uart_line_lower();
        break;
    }
}

static void alarm(u64 ahead_ns)
{
    u64 low = peek32(RTC + RTC_LOW), at = (peek32(RTC + RTC_HIGH) << 32 | low) + ahead_ns;

    poke32(RTC + RTC_ALARM_HIGH, at >> 32);
    poke32(RTC + RTC_ALARM_LOW, at & 0xffffffff);
}

static void blow(u64 i)
{
    static const u64 deadlines[] = { 0, 1, 2, 3, 1ul << 63, ~0ul, ~0ul - 1 };
    u64              kind = i % 10, when = kind < 7 ? deadlines[kind] : time_now() + kind - 8;

    switch (way) {
    case 0: timer_set(when); break;
    case 1: csr_write(CSR_STIMECMP, when); break;
    case 2: sbi_call(SBI_IPI, 0, 1, 0); break;
    case 3: csr_set(CSR_SIP, INT_SSI); break;
    case 4: alarm(kind * 50); break;
    case 5: uart_line_raise(); break;
    case 6:
    case 7: uart_line_raise(); break;
    }
}

GUEST(storm)
{
    u64 start = time_now(), i = 0;

    way    = arg("way", 0);
    on_irq = on_storm;
    plic_enable(IRQ_UART, 7);
    plic_enable(IRQ_RTC, 7);
    poke32(RTC + RTC_IRQ_ENABLED, 1);
    csr_write(CSR_SIE, INT_SSI | INT_STI | INT_SEI);
    say("round 0");
    for (u64 round = 1;; round++) {
        csr_set(CSR_SSTATUS, SSTATUS_SIE);
        for (u64 n = 0; n < 2000; n++)
            blow(i++);
        csr_clear(CSR_SSTATUS, SSTATUS_SIE);
        say("round %lu blows=%lu taken=%lu per_s=%lu", round, i, taken,
            i * 10000000 / (time_now() - start));
    }
}

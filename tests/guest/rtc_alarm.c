// SPDX-License-Identifier: MIT
// The RTC's alarm: status, interrupt through the PLIC, and the three ways to be rid of it.
// Shows: D8 D9
#include "board.h"

static u64 rtc_now(void)
{
    u64 low = peek32(RTC + RTC_LOW);

    return peek32(RTC + RTC_HIGH) << 32 | low;
}

static void alarm_at(u64 when)
{
    poke32(RTC + RTC_ALARM_HIGH, when >> 32);
    poke32(RTC + RTC_ALARM_LOW, when);
}

static void show(const char *what)
{
    printf("%s: status %lx enabled %lx pending %lx sip %lx\n", what,
           peek32(RTC + RTC_ALARM_STATUS), peek32(RTC + RTC_IRQ_ENABLED), peek32(PLIC_PENDING(0)),
           csr_read(CSR_SIP) & INT_SEI);
}

static void claim_all(void)
{
    u32 id;

    while ((id = plic_claim()) != 0) {
        printf("claimed %u\n", id);
        poke32(RTC + RTC_CLEAR_INTERRUPT, 1);
        plic_complete(id);
    }
}

GUEST(rtc_alarm)
{
    plic_enable(IRQ_RTC, 1);
    show("at start");
    alarm_at(rtc_now() + 1000000000000);
    show("far ahead");
    printf("alarm reads back: %s\n", peek32(RTC + RTC_ALARM_HIGH) >= 5 ? "yes" : "no");
    poke32(RTC + RTC_CLEAR_ALARM, 1);
    show("cleared");

    alarm_at(rtc_now() + 60000000);
    wait_for(!(peek32(RTC + RTC_ALARM_STATUS) & 1), 1000ul);
    show("rang, not enabled");
    poke32(RTC + RTC_IRQ_ENABLED, 1);
    show("enabled afterwards");
    claim_all();
    show("claimed");

    alarm_at(rtc_now() + 60000000);
    show("set");
    wait_for(csr_read(CSR_SIP) & INT_SEI, 1000ul);
    show("rang");
    poke32(RTC + RTC_IRQ_ENABLED, 0);
    show("disabled");
    poke32(RTC + RTC_IRQ_ENABLED, 1);
    show("enabled");
    claim_all();
    show("claimed");

    alarm_at(1);
    show("in the past");
    claim_all();
    show("claimed");
    poke32(RTC + RTC_IRQ_ENABLED, ~0u);
    show("enabled with ones");
    poke32(RTC + RTC_IRQ_ENABLED, 0);
}

// SPDX-License-Identifier: MIT
// Two sources at once, UART and RTC alarm: the higher priority is claimed first, the lower number
// when they are equal; each is claimed once.
// Shows: D9 D10
#include "board.h"

static void lines_raise(void)
{
    uart_line_raise();
    poke32(RTC + RTC_IRQ_ENABLED, 1);
    poke32(RTC + RTC_ALARM_HIGH, 0);
    poke32(RTC + RTC_ALARM_LOW, 1);             // long past: rings at once
    wait_for((peek32(PLIC_PENDING(0)) & 0xc00) == 0xc00, 100ul);
}

static void lines_lower(void)
{
    uart_line_lower();
    poke32(RTC + RTC_IRQ_ENABLED, 0);
    poke32(RTC + RTC_CLEAR_INTERRUPT, 1);
}

// Everything claimed and completed, whatever its priority.
static void settle(void)
{
    u32 id;

    poke32(PLIC_PRIORITY(IRQ_UART), 1);
    poke32(PLIC_PRIORITY(IRQ_RTC), 1);
    poke32(PLIC_THRESHOLD(CONTEXT_S), 0);
    while ((id = plic_claim()) != 0)
        plic_complete(id);
}

static void order_try(u32 uart, u32 rtc, u32 threshold)
{
    u32 claims[3];

    poke32(PLIC_PRIORITY(IRQ_UART), uart);
    poke32(PLIC_PRIORITY(IRQ_RTC), rtc);
    poke32(PLIC_THRESHOLD(CONTEXT_S), threshold);
    lines_raise();
    printf("uart %u rtc %u threshold %u: pending %lx sip %lx claims", uart, rtc, threshold,
           peek32(PLIC_PENDING(0)), csr_read(CSR_SIP) & INT_SEI);
    for (int i = 0; i < 3; i++) {
        claims[i] = plic_claim();
        printf(" %u (sip %lx)", claims[i], csr_read(CSR_SIP) & INT_SEI);
    }
    lines_lower();
    for (int i = 2; i >= 0; i--)
        plic_complete(claims[i]);
    settle();
    printf(", then pending %lx\n", peek32(PLIC_PENDING(0)));
}

GUEST(plic_order)
{
    console_hold();
    plic_enable(IRQ_UART, 1);
    plic_enable(IRQ_RTC, 1);
    order_try(1, 1, 0);
    order_try(1, 2, 0);
    order_try(2, 1, 0);
    order_try(7, 7, 6);
    order_try(0, 3, 0);
    order_try(3, 0, 0);
    order_try(0, 0, 0);
    order_try(5, 4, 2);
    console_release();
}

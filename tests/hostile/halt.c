// SPDX-License-Identifier: MIT
// Stops its only hart, in every way, with a deadline that has passed: way=0 hart_stop with an
// expired timer, 1 with an RTC alarm that is due, 2 with an interrupt pending, 3 a suspend that
// nothing ends, 4 wfi with all masked, 5 a suspend that ends at once, over and over, 6 retentive
// suspends likewise.
// Shows: C3 S4
#include "hostile.h"

void resumed(void);

static void halt(u64 way)
{
    csr_write(CSR_SIE, way == 3 || way == 4 ? 0 : INT_STI | INT_SSI);
    timer_set(way == 2 ? ~0ul : time_now() + 20);
    switch (way) {
    case 1:
        poke32(RTC + RTC_ALARM_HIGH, 0);
        poke32(RTC + RTC_ALARM_LOW, 1);
        break;
    case 2: sbi_call(SBI_IPI, 0, 1, 0); break;
    case 3: sbi_call(SBI_HSM, 3, 0x80000000, (u64)resumed, 0); break;
    case 5: sbi_call(SBI_HSM, 3, 0x80000000, (u64)resumed, 0); break;
    case 6:
        for (;;) {
            timer_set(time_now() + 2);
            sbi_call(SBI_HSM, 3, 0, 0, 0);
        }
    }
    for (; way == 4;)
        __asm__ volatile("wfi");
    sbi_call(SBI_HSM, 1);
    say("BAD the hart goes on");
}

// Where a non-retentive suspend ends: nothing is kept, so a stack first.
static u64 resume_stack[512] __attribute__((aligned(16), used));

__attribute__((used)) static void again(void)
{
    halt(5);
}

__asm__(".text\n.balign 4\n.globl resumed\nresumed: la sp, resume_stack + 4096\n j again\n");

GUEST(halt)
{
    u64 way = arg("way", 0);

    say("round %lu", way);
    halt(way);
}

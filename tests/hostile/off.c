// SPDX-License-Identifier: MIT
// Ends at a random moment, in the midst of something: an interrupt storm, changes of page tables,
// sleep, a full console; by SRST, by the syscon, by the legacy call; as a success or as a failure.
// Shows: S3
#include "hostile.h"

static u64 seed;

static void something(u64 what)
{
    struct space s;

    switch (what) {
    case 0:
        timer_set(time_now() + any_below(100, &seed));
        csr_write(CSR_SIE, INT_STI);
        __asm__ volatile("wfi");
        break;
    case 1:
        pages_reset();
        space_make(&s, 3 + (int)any_below(3, &seed));
        space_enter(&s, 5);
        for (u64 i = 0; i < 64; i++)
            space_map(&s, 0x1000000000 + i * PAGE, SPARE, PTE_KERNEL, 0);
        for (u64 i = 0; i < 64; i++)
            poke64(0x1000000000 + i * PAGE, i);
        break;
    case 2:
        plic_enable(IRQ_UART, 7);
        csr_write(CSR_SIE, INT_SEI);
        uart_line_raise();
        break;
    case 3:
        poke32(RTC + RTC_ALARM_HIGH, any_below(4, &seed) << 28);
        poke32(RTC + RTC_ALARM_LOW, random_next(&seed) & 0xffffffff);
        break;
    case 4: poke8(UART + UART_THR, '.'); break;
    case 5: sbi_call(SBI_IPI, 0, 1, 0); break;
    }
}

static void end(u64 way)
{
    switch (way) {
    case 0: sbi_call(SBI_SRST, 0, 0, 0); break;
    case 1: sbi_call(SBI_SRST, 0, 0, 1); break;
    case 2: poke32(SYSCON, 0x5555); break;
    case 3: poke32(SYSCON, 0x12343333); break;
    case 4: sbi_call(8, 0, 0); break;
    }
    say("BAD it goes on");
}

GUEST(off)
{
    u64 n;

    seed = arg("seed", 1);
    n    = any_below(3000, &seed);
    say("round %lu", n);
    for (u64 i = 0; i < n; i++) {
        csr_write(CSR_SATP, 0);
        something(any_below(6, &seed));
    }
    csr_write(CSR_SATP, 0);
    end(arg("seed", 1) % 5);
}

// SPDX-License-Identifier: MIT
// What only the firmware can do: the supervisor binary interface (SBI specification 2.0).
//
// In:     deadlines, and the wish to end.
// Out:    ecall from supervisor mode: to OpenSBI on the bare board, to Duomo in a virtual machine.
#include "kernel.h"

#define EXT_TIME 0x54494d45 // chapter 6
#define EXT_SRST 0x53525354 // chapter 10

long sbi_call(u64 extension, u64 function, u64 arg0, u64 arg1)
{
    register u64 a0 __asm__("a0") = arg0;
    register u64 a1 __asm__("a1") = arg1;
    register u64 a6 __asm__("a6") = function;
    register u64 a7 __asm__("a7") = extension;

    __asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a6), "r"(a7) : "memory");
    return (long)a0;
}

u64 clock_ms(void)
{
    static u64 start;

    if (!start)
        start = csr_read(time);
    return (csr_read(time) - start) / ticks_per_ms;
}

void timer_set(u64 ms)
{
    u64 now = clock_ms(), ahead = ms > now ? ms - now : 0;
    u64 deadline = ahead > 1ul << 32 ? ~0ul : csr_read(time) + ahead * ticks_per_ms;

    sbi_call(EXT_TIME, 0, deadline, 0);
}

_Noreturn void power(enum power how)
{
    // a0: shutdown or cold reboot; a1: no reason, or system failure
    sbi_call(EXT_SRST, 0, how == POWER_REBOOT, how == POWER_FAIL);
    for (;;)
        __asm__ volatile("wfi");
}

// SPDX-License-Identifier: MIT
// Cheats the scheduler: computes for nearly a slice, then sleeps for as short as it can, so that it
// has always just woken up and never used up a turn.  In rounds: its timer is set to the past (~0),
// to now and to a little ahead; or it sleeps long, to be owed much.
// Shows: S4 C8
#include "hostile.h"

#define BURST (49 * TICKS_PER_MS / 10)

static void compute(u64 ticks)
{
    u64 until = time_now() + ticks;

    while (time_now() < until) // QEMU is slow at telling the time: not too often
        for (int i = 0; i < 1000; i++)
            __asm__ volatile("");
}

static void doze(u64 ahead)
{
    csr_write(CSR_STIMECMP, time_now() + ahead);
    csr_write(CSR_SIE, INT_STI);
    __asm__ volatile("wfi");
    csr_write(CSR_SIE, 0);
}

GUEST(sleeper)
{
    static const u64 ahead[] = { 100, 30, 300, 50, 1000, 1, 0, ~0ul, 60000, 200000 };
    u64              burst = arg("burst_us", BURST / 10) * 10, which = arg("which", ~0ul);

    for (u64 round = 1;; round++) {
        if (round % 16 == 1)
            say("round %lu", round);
        compute(burst);
        doze(ahead[(which < ARRAY_LEN(ahead) ? which : round) % ARRAY_LEN(ahead)]);
    }
}

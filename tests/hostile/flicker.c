// SPDX-License-Identifier: MIT
// Sleeps for a moment, and again, each time with a deadline that comes about when another VM gets
// the hart, and its stimecmp becomes that one's: nobody may take an interrupt for another's.
// Shows: C8
#include "hostile.h"

GUEST(flicker)
{
    u64 seed = arg("seed", 1), most = arg("most_us", 200) * TICKS_PER_MS / 1000;

    csr_write(CSR_SIE, INT_STI);
    for (u64 round = 1;; round++) {
        for (int i = 0; i < 200; i++) {
            u64 now = time_now(), awake = any_below(most, &seed);

            csr_write(CSR_STIMECMP, now + any_below(most, &seed));
            while (time_now() < now + awake)
                ;
            __asm__ volatile("wfi");
        }
        say("round %lu", round);
    }
}

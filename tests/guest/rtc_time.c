// SPDX-License-Identifier: MIT
// The RTC's clock: nanoseconds in two halves, the high one latched by a read of the low one, moving
// with the machine's time, and settable.
// Shows: D8
#include "board.h"

static u64 rtc_now(void)
{
    u64 low = peek32(RTC + RTC_LOW);

    return peek32(RTC + RTC_HIGH) << 32 | low;
}

GUEST(rtc_time)
{
    u64 start = rtc_now(), last = start, backwards = 0, ticks;

    printf("after 2020: %s\n", start > 1577836800000000000 ? "yes" : "no");
    for (int i = 0; i < 2000; i++) {
        u64 now = rtc_now();

        backwards += now < last;
        last = now;
    }
    printf("backwards %lu\n", backwards);

    ticks = time_now();
    start = rtc_now();
    wait_for(time_now() - ticks >= 20 * TICKS_PER_MS, 1000ul);
    last = rtc_now() - start;
    printf("20 ms are %s\n",
           last >= 19000000 && last < 500000000 ? "about 20 ms" : "something else");

    // Set a second ahead of 2^32 ns: the halves go together.
    poke32(RTC + RTC_HIGH, 5);
    poke32(RTC + RTC_LOW, 1000);
    last = rtc_now();
    printf("set: %s\n",
           last >= (5ul << 32) && last < (5ul << 32) + 2000000000 ? "taken" : "not taken");
}

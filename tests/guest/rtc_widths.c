// SPDX-License-Identifier: MIT
// The RTC by bytes and halfwords, at every register, and behind the last one.
// Shows: D8
#include "access.h"
#include "board.h"

GUEST(rtc_widths)
{
    for (u64 offset = 0; offset < 0x20; offset += 4) {
        printf("+%lx:", offset);
        for (int kind = ACCESS_LB; kind <= ACCESS_SD; kind++) {
            struct cpu c;
            u64        cause;

            if (accesses[kind].bytes == 8)              // see README.md
                continue;
            cause = access_try(&c, MODE_S, kind, RTC + offset, 0);

            if (cause == CAUSE_NONE)
                printf(" -");
            else
                printf(" %lu%s", cause, c.tval == RTC + offset ? "" : "!");
        }
        printf("\n");
    }
    for (u64 offset = 0x40; offset < 0x1000; offset += 0x144)
        printf("+%lx: %#lx\n", offset, TRAPS(peek32(RTC + offset)) == CAUSE_NONE
               ? peek32(RTC + offset) : trap.cause);
    poke32(RTC + RTC_IRQ_ENABLED, 0);
    poke32(RTC + RTC_CLEAR_ALARM, 1);
}

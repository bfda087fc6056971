// SPDX-License-Identifier: MIT
// Around the end of the memory, without paging: what fits is memory, what does not is an access
// fault that names the first byte that does not.
// Shows: C11 P4
#include "access.h"

#define RAM_END 0x84000000ul

GUEST(trap_ram_end)
{
    for (int kind = ACCESS_LB; kind <= ACCESS_SD; kind++) {
        u64 bytes = (u64)accesses[kind].bytes;

        for (u64 at = RAM_END - bytes - 1; at <= RAM_END; at++) {
            struct cpu c;
            u64        old = peek64(RAM_END - 8);
            u64        cause;

            poke64(RAM_END - 8, 0x1111111111111111);
            cause = access_try(&c, MODE_S, kind, at, 0x2222222222222222);
            printf("%s end%+ld: %s", accesses[kind].name, (long)(at - RAM_END), cause_text(cause));
            if (cause == CAUSE_NONE)
                printf(", memory %#lx\n", peek64(RAM_END - 8));
            else
                printf(" tval %+ld\n", (long)(c.tval - RAM_END));
            poke64(RAM_END - 8, old);
        }
    }
}

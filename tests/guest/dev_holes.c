// SPDX-License-Identifier: MIT
// Between the devices is nothing: every access there, of every width, is an access fault with its
// own address in stval.
// Shows: D8 P4 C13
#include "access.h"

GUEST(dev_holes)
{
    static const u64 holes[] = {
        0x00000000, 0x000ff000, 0x00102000, 0x00110000, 0x01fff000, 0x02010000, 0x06000000,
        0x0bfff000, 0x0c600000, 0x0ffff000, 0x10000100, 0x10000ff8, 0x10009000, 0x10010000,
        0x18000000, 0x1ffff000,
    };

    for (size_t i = 0; i < sizeof holes / sizeof *holes; i++) {
        printf("%#lx:", holes[i]);
        for (enum mode mode = MODE_U; mode <= MODE_S; mode++)
            for (int kind = ACCESS_LB; kind <= ACCESS_SD; kind++) {
                struct cpu c;
                u64        cause = access_try(&c, mode, kind, holes[i], 0);

                if (cause == CAUSE_NONE)
                    printf(" -");
                else
                    printf(" %lu%s", cause, c.tval == holes[i] ? "" : "!");
            }
        printf(" fetch %lu\n", access_cause(MODE_S, ACCESS_FETCH, holes[i]));
    }
}

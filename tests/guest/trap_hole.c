// SPDX-License-Identifier: MIT
// Loads, stores and AMOs without paging where no memory is: access faults with the address in
// stval, from both modes and for every width.  An AMO's may be either kind of access fault ("a"):
// see README.md.
// Shows: C4 C13 P3 P4
#include "access.h"

GUEST(trap_hole)
{
    static const u64 holes[] = {
        0x0, 0x84000000, 0x0b000000, 0x18000000, 0x100000000, 0x1000000000, 1ul << 38, 1ul << 47,
        1ul << 52, 1ul << 55, 1ul << 56, 1ul << 60, 1ul << 63, 0xfffffffffffff000,
    };

    for (enum mode mode = MODE_U; mode <= MODE_S; mode++)
        for (size_t i = 0; i < sizeof holes / sizeof *holes; i++) {
            printf("%c %#lx:", mode == MODE_U ? 'U' : 'S', holes[i]);
            for (int kind = ACCESS_LB; kind < ACCESS_FETCH; kind++) {
                struct cpu c;
                u64        cause;

                if (kind == ACCESS_SC_W || kind == ACCESS_SC_D)
                    continue;
                cause = access_try(&c, mode, kind, holes[i] + 8, 0);
                if (kind >= ACCESS_AMO_W
                    && (cause == CAUSE_LOAD_ACCESS || cause == CAUSE_STORE_ACCESS))
                    printf(" a");
                else
                    printf(" %lu", cause);
                if (c.tval != holes[i] + 8)
                    printf("!");
            }
            printf("\n");
        }
}

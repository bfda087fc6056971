// SPDX-License-Identifier: MIT
// The CLINT belongs to the machine's firmware: to S-mode and U-mode every access to it is a fault.
// Shows: D8 C13
#include "access.h"
#include "board.h"

GUEST(clint_access)
{
    static const u64 offsets[] = { 0, 4, 0x3ffc, 0x4000, 0x4004, 0xbff8, 0xbffc, 0x8000, 0xfff8 };

    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        printf("+%lx:", offsets[i]);
        for (enum mode mode = MODE_U; mode <= MODE_S; mode++)
            for (int kind = ACCESS_LB; kind <= ACCESS_SD; kind++) {
                struct cpu c;
                u64        at = CLINT + (offsets[i] & ~((u64)accesses[kind].bytes - 1));
                u64        cause = access_try(&c, mode, kind, at, 0);

                if (cause == CAUSE_NONE)
                    printf(" -");
                else
                    printf(" %lu%s", cause, c.tval == at ? "" : "!");
            }
        printf("\n");
    }
}

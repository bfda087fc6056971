// SPDX-License-Identifier: MIT
// The PLIC by widths other than four bytes: access faults, at every kind of register; and by words
// in the gaps.
// Shows: D8 D9
#include "access.h"
#include "board.h"

GUEST(plic_widths)
{
    static const u64 places[] = {
        PLIC_PRIORITY(0), PLIC_PRIORITY(1), PLIC_PRIORITY(10), PLIC_PENDING(0), PLIC_ENABLE(1, 0),
        PLIC_THRESHOLD(1), PLIC_CLAIM(1),
    };

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        printf("+%lx:", places[i] - PLIC);
        for (int kind = ACCESS_LB; kind <= ACCESS_SD; kind++) {
            struct cpu c;
            u64        at = places[i] & ~((u64)accesses[kind].bytes - 1);
            u64        cause = access_try(&c, MODE_S, kind, at, 0);

            if (kind == ACCESS_SW)
                continue;
            printf(" %s=%s%s", accesses[kind].name,
                   cause == CAUSE_NONE ? "ok" : cause == CAUSE_LOAD_ACCESS ? "5"
                   : cause == CAUSE_STORE_ACCESS ? "7" : "?",
                   cause == CAUSE_NONE || c.tval == at ? "" : "!");
        }
        printf("\n");
    }
}

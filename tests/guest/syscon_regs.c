// SPDX-License-Identifier: MIT
// The syscon (power-off device): reads, widths, and writes that mean nothing leave the machine on.
// Shows: D8
#include "access.h"
#include "board.h"

GUEST(syscon_regs)
{
    static const u64 values[] = { 0, 1, 0x1111, 0x4444, 0x6666, 0x8888, 0xffff, 0x55550000 };

    for (u64 offset = 0; offset < 0x20; offset += 4) {
        printf("+%lx:", offset);
        for (int kind = ACCESS_LB; kind <= ACCESS_SD; kind++) {
            struct cpu c;
            u64        cause;

            if (offset % (u64)accesses[kind].bytes)
                continue;
            cause = access_try(&c, MODE_S, kind, SYSCON + offset, 0);
            printf(" %s=", accesses[kind].name);
            if (cause == CAUSE_NONE)
                printf("%lx", accesses[kind].loads ? c.x[A0] : 0);
            else
                printf("%s%s", cause_text(cause), c.tval == SYSCON + offset ? "" : "!");
        }
        printf("\n");
    }
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        printf("write %#lx: %s\n", values[i],
               cause_text(TRAPS(poke32(SYSCON, values[i]))));
    printf("+0xffc: %s\n", cause_text(TRAPS(peek32(SYSCON + 0xffc))));
}

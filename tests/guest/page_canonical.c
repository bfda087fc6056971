// SPDX-License-Identifier: MIT
// Addresses that are not a sign-extension of what the paging mode translates are page faults with
// the whole address in stval, although an entry for their low bits is there; the upper half works.
// Shows: P3
#include "access.h"
#include "insn.h"
#include "page.h"

static u32 memory[PAGE / 4] __attribute__((aligned(PAGE)));

static void address_try(u64 at)
{
    static const int kinds[] = { ACCESS_LD, ACCESS_SD, ACCESS_FETCH };

    printf("  %#lx:", at);
    for (enum mode mode = MODE_U; mode <= MODE_S; mode++)
        for (size_t i = 0; i < 3; i++) {
            struct cpu c;
            u64        cause = access_try(&c, mode, kinds[i], at, 0x0010007300100073);

            if (cause == CAUSE_NONE)
                printf(" -");
            else
                printf(" %lu%s%s", cause, c.tval == at ? "" : "!",
                       kinds[i] == ACCESS_FETCH && c.pc != at ? "?" : "");
        }
    printf("\n");
}

GUEST(page_canonical)
{
    memory[0] = memory[1] = INSN_EBREAK;
    fence_i();
    for (int levels = 3; levels <= 5; levels++) {
        int          bits = 12 + 9 * levels;
        u64          low = 1ul << (bits - 2), high = -(1ul << (bits - 2));
        struct space space;

        if (!levels_supported(levels))
            continue;
        space_make(&space, levels);
        for (int user = 0; user < 2; user++) {
            u64 flags = PTE_KERNEL | (user ? PTE_U : 0);

            space_map(&space, low, (u64)memory, flags, 0);
            space_map(&space, high, (u64)memory, flags, 0);
            space_enter(&space, 0);
            printf("%d levels, %s pages\n", levels, user ? "user" : "kernel");
            address_try(low);
            address_try(high);
            for (int bit = bits - 1; bit < 64; bit++) {
                address_try(low ^ 1ul << bit);
                address_try(high ^ 1ul << bit);
            }
            address_try(low ^ ~0ul << bits);
            address_try(low ^ ~0ul << (bits - 1));
            space_leave();
        }
    }
}

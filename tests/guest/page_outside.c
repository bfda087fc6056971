// SPDX-License-Identifier: MIT
// Entries that lead out of the memory: a leaf there, at every level, is an access fault of the
// access's own kind, with the virtual address in stval; a table there is a fault of its kind ("f"):
// see README.md.
// Shows: P4 C13
#include "access.h"
#include "page.h"

static const u64 outside[] = {
    0x84000000, 0xc0000000000, 1ul << 40, 1ul << 55, (1ul << 56) - PAGE,
};

static void leaf_try_at(struct space *space, int level, u64 pa, u64 flags)
{
    static const int kinds[] = { ACCESS_LD, ACCESS_SD, ACCESS_FETCH, ACCESS_LR_D };
    static const u64 access[] = {
        CAUSE_LOAD_ACCESS, CAUSE_STORE_ACCESS, CAUSE_FETCH_ACCESS, CAUSE_LOAD_ACCESS,
    };
    static const u64 page[] = {
        CAUSE_LOAD_PAGE, CAUSE_STORE_PAGE, CAUSE_FETCH_PAGE, CAUSE_LOAD_PAGE,
    };
    u64 va = level < 2 ? 0x180000000ul : level == 2 ? 6 * level_size(2) : level_size(level);

    if (flags & PTE_RWX)
        pa &= ~(level_size(level) - 1);
    *space_slot(space, va, level) = pte_make(pa, flags);
    sfence_all();
    va += level_size(level) / 2 + 64;
    for (size_t i = 0; i < 4; i++) {
        struct cpu c;
        u64        cause = access_try(&c, MODE_S, kinds[i], va, 0);

        if (!(flags & PTE_RWX) && (cause == access[i] || cause == page[i]))
            printf(" f");
        else
            printf(" %lu", cause);
        if (c.tval != va)
            printf("!");
    }
    *space_slot(space, va, level) = 0;
}

GUEST(page_outside)
{
    for (int levels = 3; levels <= 5; levels++) {
        struct space space;

        if (!levels_supported(levels))
            continue;
        space_make(&space, levels);
        space_enter(&space, 0);
        for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
            for (int level = 0; level < levels; level++) {
                printf("%d levels, level %d, %#lx:", levels, level, outside[i]);
                if (outside[i] >> (12 + 9 * level))
                    leaf_try_at(&space, level, outside[i], PTE_KERNEL);
                if (level > 0)
                    leaf_try_at(&space, level, outside[i], PTE_V);
                printf("\n");
            }
        space_leave();
    }
}

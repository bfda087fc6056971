// SPDX-License-Identifier: MIT
// Leaves above the last level: each size maps what it should, and a page number that is not aligned
// to the size is a page fault, whichever low bit of it is set.
// Shows: P2
#include "leaf.h"

GUEST(page_superpage)
{
    for (int levels = 3; levels <= 5; levels++) {
        if (!levels_supported(levels))
            continue;
        for (int level = 0; level < levels; level++) {
            struct space space;
            struct leaf  leaf;
            pte_t        kernel, user;

            pages_reset();
            space_make(&space, levels);
            leaf = leaf_make(&space, level);
            space_enter(&space, 0);
            kernel = leaf_entry(&leaf, PTE_KERNEL);
            user = leaf_entry(&leaf, PTE_KERNEL | PTE_U);
            printf("%d levels, level %d: kernel %016lx user %016lx\n", levels, level,
                   leaf_try(HASH_START, &leaf, kernel, LEAF_ALL),
                   leaf_try(HASH_START, &leaf, user, LEAF_ALL));
            for (int bit = 0; bit < 9 * level; bit++)
                printf("  PPN bit %d: kernel %016lx user %016lx\n", bit,
                       leaf_try(HASH_START, &leaf, kernel | 1ul << (10 + bit), LEAF_ALL),
                       leaf_try(HASH_START, &leaf, user | 1ul << (10 + bit), LEAF_ALL));
            space_leave();
        }
    }
}

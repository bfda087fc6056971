// SPDX-License-Identifier: MIT
// All 1024 values of an entry's low ten bits, at every level of every paging mode: load, store and
// jump from both modes, and what they make of the entry (A and D).  One hash for each 128 values.
// Shows: P2 P6
#include "leaf.h"

GUEST(page_flags)
{
    for (int levels = 3; levels <= 5; levels++) {
        if (!levels_supported(levels))
            continue;
        for (int level = 0; level < levels; level++) {
            struct space space;
            struct leaf  leaf;

            pages_reset();
            space_make(&space, levels);
            leaf = leaf_make(&space, level);
            space_enter(&space, 0);
            printf("%d levels, level %d\n", levels, level);
            for (u64 block = 0; block < 1024; block += 128) {
                u64 h = HASH_START;

                for (u64 flags = block; flags < block + 128; flags++)
                    h = leaf_try(h, &leaf, leaf_entry(&leaf, flags), LEAF_ALL);
                printf("  %03lx %016lx\n", block, h);
            }
            space_leave();
        }
    }
}

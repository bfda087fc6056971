// SPDX-License-Identifier: MIT
// The high bits of an entry, 54 to 63, one at a time and all together, with all 256 values of its
// low eight: reserved bits, N and PBMT, at every level of every paging mode.  One hash for each
// bit.
// Shows: P2
#include "leaf.h"

GUEST(page_high_bits)
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
            printf("%d levels, level %d:\n", levels, level);
            for (int bit = 54; bit <= 64; bit++) {
                u64 high = bit == 64 ? ~0ul << 54 : 1ul << bit;
                u64 h = HASH_START;

                for (u64 flags = 0; flags < 256; flags += bit == 64 ? 5 : 1)
                    h = leaf_try(h, &leaf, leaf_entry(&leaf, flags) | high,
                                 LEAF_S_LOAD | LEAF_U_STORE);
                printf("  %d %016lx\n", bit, h);
            }
            space_leave();
        }
    }
}

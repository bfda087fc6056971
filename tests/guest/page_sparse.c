// SPDX-License-Identifier: MIT
// Pages strewn over the whole address space, each with tables of its own, in every paging mode.
// Shows: P10
#include "page.h"

#define COUNT 256ul

static u64 memory[COUNT][4] __attribute__((aligned(PAGE)));

static u64 place_of(u64 i, int levels)
{
    int bits = 12 + 9 * levels;
    u64 va = (i * 0x9e3779b97f4a7c15) >> (65 - bits) & ~(PAGE - 1);

    // Clear of the lowest 4 GiB, and in the upper half for every other one.
    va |= 1ul << 32;
    return i & 1 ? va | ~0ul << (bits - 1) : va & ~(~0ul << (bits - 1));
}

GUEST(page_sparse)
{
    for (u64 i = 0; i < COUNT; i++)
        memory[i][0] = i;
    for (int levels = 3; levels <= 5; levels++) {
        struct space space;
        u64          wrong = 0, distinct = 0;

        if (!levels_supported(levels))
            continue;
        space_make(&space, levels);
        for (u64 i = 0; i < COUNT; i++) {
            pte_t *slot = space_slot(&space, place_of(i, levels), 0);

            distinct += *slot == 0;
            *slot = pte_make((u64)memory & ~(PAGE - 1), PTE_KERNEL);
        }
        space_enter(&space, 0);
        for (int round = 0; round < 20; round++)
            for (u64 i = 0; i < COUNT; i++)
                wrong += peek64(place_of(i, levels) + ((u64)memory[i] & (PAGE - 1))) != i
                      && (u64)memory[i] < ((u64)memory | (PAGE - 1));
        space_leave();
        printf("%d levels: %lu places, %lu wrong\n", levels, distinct, wrong);
    }
}

// SPDX-License-Identifier: MIT
// Page tables that map themselves: a root that is its own table, tables edited through an alias of
// themselves, a table that is data and code as well.
// Shows: P5 P1
#include "access.h"
#include "page.h"

#define VA    0x180000000ul
#define ALIAS 0x180100000ul              // in the same last table

static u64 first[PAGE / 8] __attribute__((aligned(PAGE)));
static u64 second[PAGE / 8] __attribute__((aligned(PAGE)));

GUEST(page_self)
{
    struct space space;
    pte_t       *slot;
    int          wrong = 0;

    first[1] = 111;
    second[1] = 222;
    space_make(&space, 3);
    slot = space_slot(&space, VA, 0);
    space_map(&space, ALIAS, (u64)slot & ~(PAGE - 1), PTE_KERNEL, 0);
    space.root[511] = pte_make((u64)space.root, PTE_V);
    *slot = pte_make((u64)first, PTE_KERNEL);
    space_enter(&space, 0);

    // The root as its own table never becomes a leaf.
    printf("root in itself: %lu %lu\n", access_cause(MODE_S, ACCESS_LD, -PAGE),
           access_cause(MODE_S, ACCESS_LD, -1ul << 30));
    space.root[511] = pte_make((u64)space.root, PTE_V | PTE_R | PTE_W | PTE_AD);
    sfence_all();
    printf("root as its own leaf: %lu\n", access_cause(MODE_S, ACCESS_LD, -PAGE));

    // The last table, edited through an alias that it maps itself.
    for (u64 i = 0; i < 2000; i++) {
        u64 target = i & 1 ? (u64)second : (u64)first;
        u64 at = ALIAS + ((u64)slot & (PAGE - 1));

        poke64(at, pte_make(target, PTE_KERNEL));
        sfence_va(VA);
        wrong += peek64(VA + 8) != (i & 1 ? 222 : 111);
        poke64(at, 0);
        sfence_va(VA);
        wrong += access_cause(MODE_S, ACCESS_LD, VA + 8) != CAUSE_LOAD_PAGE;
    }
    printf("edited through an alias: %d wrong\n", wrong);

    // The alias's own entry, through the alias: it unmaps itself.
    poke64(ALIAS + ((u64)space_slot(&space, ALIAS, 0) & (PAGE - 1)), 0);
    sfence_all();
    printf("unmapped by itself: %ld\n", (long)access_cause(MODE_S, ACCESS_LD, ALIAS));
    space_map(&space, ALIAS, (u64)slot & ~(PAGE - 1), PTE_KERNEL, 0);
    sfence_all();
    printf("mapped again: %d\n", access_cause(MODE_S, ACCESS_LD, ALIAS) == CAUSE_NONE);

    // An entry that is read as data through the page it maps.
    *slot = pte_make((u64)slot & ~(PAGE - 1), PTE_KERNEL);
    sfence_all();
    printf("an entry seen through itself: %s\n",
           peek64(VA + ((u64)slot & (PAGE - 1))) == *slot ? "equal" : "different");
    space_leave();
}

// SPDX-License-Identifier: MIT
// A 2 MiB page that is split into 512 small ones and merged again, with one small page changed in
// between; then the same with a table that disappears.
// Shows: P1 P10
#include "access.h"
#include "page.h"

#define VA   0x180000000ul
#define BIG  (512 * PAGE)

static u8 big[2 * BIG] __attribute__((aligned(BIG)));

static int pages_wrong(u64 changed)
{
    int wrong = 0;

    for (u64 i = 0; i < 512; i++)
        wrong += peek64(VA + i * PAGE) != (i == changed ? 1000 : i);
    return wrong;
}

GUEST(page_split)
{
    u64         *table;
    struct space space;
    int          wrong = 0;

    for (u64 i = 0; i < 512; i++) {
        poke64((u64)big + i * PAGE, i);
        poke64((u64)big + BIG + i * PAGE, 1000);
    }
    space_make(&space, 3);
    table = page_take();
    space_enter(&space, 0);
    for (u64 round = 0; round < 40; round++) {
        u64 changed = round * 37 % 512;

        space_map(&space, VA, (u64)big, PTE_KERNEL, 1);
        sfence_all();
        wrong += pages_wrong(~0ul);

        for (u64 i = 0; i < 512; i++)
            table[i] = pte_make((u64)big + i * PAGE, PTE_KERNEL);
        *space_slot(&space, VA, 1) = pte_make((u64)table, PTE_V);
        sfence_all();
        wrong += pages_wrong(~0ul);

        table[changed] = pte_make((u64)big + BIG, PTE_KERNEL);
        sfence_va(VA + changed * PAGE);
        wrong += pages_wrong(changed);

        table[changed] = 0;
        sfence_va(VA + changed * PAGE);
        wrong += access_cause(MODE_S, ACCESS_LD, VA + changed * PAGE) != CAUSE_LOAD_PAGE;

        *space_slot(&space, VA, 1) = 0;
        sfence_all();
        wrong += access_cause(MODE_S, ACCESS_LD, VA + PAGE) != CAUSE_LOAD_PAGE;
        wrong += access_cause(MODE_S, ACCESS_SD, VA + 511 * PAGE) != CAUSE_STORE_PAGE;
    }
    space_leave();
    printf("%d wrong\n", wrong);
}

// SPDX-License-Identifier: MIT
// Random edits of page tables, random fences in all four forms and random switches of ASID, against
// a model that knows for each page what may be seen: the entry as it is now, or as it was at any
// time since the last fence that reached it.  Seeded; a right answer is always 0 mismatches.
// Shows: P1 P9
#include "page.h"

#define VA     0x180000000ul
#define SPACES 4
#define PAGES  16
#define FRAMES 8
#define STEPS  200000

static u64          memory[FRAMES][PAGE / 8] __attribute__((aligned(PAGE)));
static struct space spaces[SPACES];
static u32          may[SPACES][PAGES];     // bit f: frame f may be seen; bit FRAMES: a fault
static u32          now[SPACES][PAGES];     // the one bit that the entry says
static u32          writable[SPACES][PAGES];// bit 0: a store may fail, bit 1: may succeed
static u64          seed = 0x5eed;
static u64          mismatches;

static void edit(u32 space, u32 page)
{
    u32    what = random_next(&seed) % (FRAMES + 2);
    bool   write = random_next(&seed) & 1;
    pte_t *slot = space_slot(&spaces[space], VA + page * PAGE, 0);

    if (what >= FRAMES) {
        *slot = 0;
        now[space][page] = 1u << FRAMES;
    } else {
        *slot = pte_make((u64)memory[what], write ? PTE_KERNEL : PTE_KERNEL & ~PTE_W);
        now[space][page] = 1u << what;
    }
    may[space][page] |= now[space][page];
    writable[space][page] |= what < FRAMES && write ? 2 : 1;
}

// What a fence reaches is known exactly from then on.
static void settle(u32 space, u32 page)
{
    pte_t entry = *space_slot(&spaces[space], VA + page * PAGE, 0);

    may[space][page] = now[space][page];
    writable[space][page] = entry & PTE_W ? 2 : 1;
}

static void fence(u32 current)
{
    u32 space = random_next(&seed) % SPACES, page = random_next(&seed) % PAGES;
    u32 form = random_next(&seed) % 4;

    switch (form) {
    case 0: sfence_all();                                           break;
    case 1: sfence_va(VA + page * PAGE + (current & 1) * 100);      break;
    case 2: sfence_asid(space + 1);                                 break;
    case 3: sfence_va_asid(VA + page * PAGE, space + 1);            break;
    }
    for (u32 s = 0; s < SPACES; s++)
        for (u32 p = 0; p < PAGES; p++)
            if ((form == 0 || form == 1 || s == space) && (form == 0 || form == 2 || p == page))
                settle(s, p);
}

static void look(u32 space, u32 page)
{
    u64 at = VA + page * PAGE;
    u64 value = 0;
    u32 saw;

    if (TRAPS(value = peek64(at)) == CAUSE_NONE)
        saw = value < FRAMES ? 1u << value : 0;
    else
        saw = trap.cause == CAUSE_LOAD_PAGE && trap.tval == at ? 1u << FRAMES : 0;
    if (!(saw & may[space][page]))
        mismatches++;

    if (TRAPS(poke64(at + 8, value)) == CAUSE_NONE)
        saw = 2;
    else
        saw = trap.cause == CAUSE_STORE_PAGE && trap.tval == at + 8 ? 1 : 0;
    if (!(saw & writable[space][page]))
        mismatches++;
}

GUEST(page_fence_model)
{
    u32 current = 0;

    for (u64 f = 0; f < FRAMES; f++)
        memory[f][0] = f;
    for (u32 s = 0; s < SPACES; s++) {
        space_make(&spaces[s], 3);
        for (u32 p = 0; p < PAGES; p++) {
            now[s][p] = 1u << FRAMES;
            space_slot(&spaces[s], VA + p * PAGE, 0);
            settle(s, p);
        }
    }
    space_enter(&spaces[0], 1);
    for (int step = 0; step < STEPS; step++) {
        u32 dice = random_next(&seed) % 16;

        if (dice < 5) {
            edit(random_next(&seed) % SPACES, random_next(&seed) % PAGES);
        } else if (dice < 7) {
            fence(current);
        } else if (dice < 9) {
            current = random_next(&seed) % SPACES;
            csr_write(CSR_SATP, space_satp(&spaces[current], current + 1));
        } else {
            look(current, random_next(&seed) % PAGES);
        }
    }
    space_leave();
    printf("%d steps, %lu mismatches\n", STEPS, mismatches);
}

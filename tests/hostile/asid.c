// SPDX-License-Identifier: MIT
// Two of these side by side use the same ASIDs and the same addresses for different data, and give
// the hart up after every look, so that the one follows the other thousands of times a second.
// None ever fences: what is found through a translation of the other's is the other's.
// What the command line says: seed= makes the data those of this VM alone.
// Shows: P9
#include "hostile.h"

#define SPACES 4
#define PAGES  8
#define AHEAD  50 // in ticks: too far for the monitor to see it come at once
#define VA     0x300000000ul

static u64          data[SPACES][PAGES][PAGE / 8] __attribute__((aligned(PAGE)));
static struct space spaces[SPACES];
static u64          own, looks, foreign;

static u64 word(u64 s, u64 p)
{
    return own << 32 | s << 8 | p;
}

static void look(u64 n)
{
    u64 s = n % SPACES, p = n / SPACES % PAGES;

    csr_write(CSR_SATP, space_satp(&spaces[s], s + 1));
    foreign += peek64(VA + p * PAGE) != word(s, p);
    foreign += peek64(VA + (PAGES - 1 - p) * PAGE) != word(s, PAGES - 1 - p);
    looks++;
    csr_write(CSR_STIMECMP, time_now() + AHEAD);
    __asm__ volatile("wfi");
}

GUEST(asid)
{
    own = arg("seed", 1);
    pages_reset();
    for (u64 s = 0; s < SPACES; s++) {
        space_make(&spaces[s], 3);
        for (u64 p = 0; p < PAGES; p++) {
            data[s][p][0] = word(s, p);
            space_map(&spaces[s], VA + p * PAGE, (u64)data[s][p], PTE_KERNEL, 0);
        }
    }
    sfence_all();
    csr_write(CSR_SIE, INT_STI);
    for (u64 round = 1;; round++) {
        for (u64 n = 0; n < 10000; n++)
            look(n);
        if (foreign)
            say("BAD %lu words are not its own", foreign);
        say("round %lu looks=%lu", round, looks);
    }
}

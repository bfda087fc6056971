// SPDX-License-Identifier: MIT
// From each paging mode to each other one, Bare included: the same memory, each time as that mode's
// tables show it.
// Shows: P1 C2
#include "page.h"

#define VA 0x180000000ul

static u64 memory[4][PAGE / 8] __attribute__((aligned(PAGE)));

GUEST(page_modes)
{
    struct space spaces[4];
    bool         there[4] = { true };

    for (int i = 1; i < 4; i++)
        there[i] = levels_supported(i + 2);
    for (int i = 0; i < 4; i++) {
        memory[i][0] = (u64)i;
        if (i == 0 || !there[i])
            continue;
        space_make(&spaces[i], i + 2);
        space_map(&spaces[i], VA, (u64)memory[i], PTE_KERNEL, 0);
    }
    for (int from = 0; from < 4; from++)
        for (int to = 0; to < 4; to++) {
            u64 seen = ~0ul;

            if (!there[from] || !there[to])
                continue;
            csr_write(CSR_SATP, from ? space_satp(&spaces[from], 0) : 0);
            sfence_all();
            TRAPS(peek64(VA));
            csr_write(CSR_SATP, to ? space_satp(&spaces[to], 0) : 0);
            sfence_all();
            TRAPS(seen = peek64(VA));
            printf("%d to %d: %s %#lx, and memory %lu\n", from, to, cause_text(trap.cause), seen,
                   memory[1][0]);
        }
    csr_write(CSR_SATP, 0);
    sfence_all();
}

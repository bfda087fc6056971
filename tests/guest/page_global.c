// SPDX-License-Identifier: MIT
// Global pages: the same in all address spaces, changed by the fences that reach them (without an
// ASID), and not confused with a private page at the same place elsewhere.
// Shows: P1 P9
#include "page.h"

#define VA 0x180000000ul

static u64 memory[3][PAGE / 8] __attribute__((aligned(PAGE)));

GUEST(page_global)
{
    struct space spaces[2];
    int          wrong = 0;

    for (u64 i = 0; i < 3; i++)
        memory[i][0] = i;
    for (int n = 0; n < 2; n++) {
        space_make(&spaces[n], 3);
        space_map(&spaces[n], VA, (u64)memory[0], PTE_KERNEL | PTE_G, 0);
        space_map(&spaces[n], VA + PAGE, (u64)memory[1 + n], PTE_KERNEL, 0);
    }
    space_enter(&spaces[0], 1);
    for (int i = 0; i < 2000; i++) {
        csr_write(CSR_SATP, space_satp(&spaces[i & 1], 1 + (i & 1)));
        wrong += peek64(VA) != 0;
        wrong += peek64(VA + PAGE) != 1 + (u64)(i & 1);
    }
    printf("switching: %d wrong\n", wrong);

    wrong = 0;
    for (u64 i = 0; i < 1000; i++) {
        for (int n = 0; n < 2; n++)
            *space_slot(&spaces[n], VA, 0) = pte_make((u64)memory[i % 3], PTE_KERNEL | PTE_G);
        if (i & 1)
            sfence_va(VA);
        else
            sfence_all();
        for (int n = 0; n < 2; n++) {
            csr_write(CSR_SATP, space_satp(&spaces[n], 1 + (u64)n));
            wrong += peek64(VA) != i % 3;
        }
    }
    printf("changing: %d wrong\n", wrong);
    space_leave();
}

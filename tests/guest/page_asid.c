// SPDX-License-Identifier: MIT
// ASIDs: many address spaces with the same addresses and different pages, switched without a fence;
// then reused for other tables, with the fences that this needs.
// Shows: P9 P1
#include "page.h"

#define VA     0x180000000ul
#define SPACES 24

static u64 memory[SPACES][PAGE / 8] __attribute__((aligned(PAGE)));
static struct space spaces[SPACES];

static int round_robin(int rounds)
{
    int wrong = 0;

    for (int i = 0; i < rounds * SPACES; i++) {
        u64 n = (u64)i * 7 % SPACES;

        csr_write(CSR_SATP, space_satp(&spaces[n], n * 2730 + 1));
        wrong += peek64(VA) != n;
        poke64(VA + 8, peek64(VA + 8) + 1);
    }
    return wrong;
}

GUEST(page_asid)
{
    int wrong = 0;

    for (u64 n = 0; n < SPACES; n++) {
        memory[n][0] = n;
        space_make(&spaces[n], 3);
        space_map(&spaces[n], VA, (u64)memory[n], PTE_KERNEL, 0);
    }
    space_enter(&spaces[0], 1);
    printf("round robin: %d wrong\n", round_robin(400));
    for (u64 n = 0; n < SPACES; n++)
        wrong += memory[n][1] != 400;
    printf("counters: %d wrong\n", wrong);

    // One space's entry changes, and only its ASID is fenced.
    wrong = 0;
    for (u64 n = 0; n < SPACES; n++) {
        memory[n][2] = n + 100;
        *space_slot(&spaces[n], VA, 0) = pte_make((u64)memory[(n + 1) % SPACES], PTE_KERNEL);
        sfence_asid(n * 2730 + 1);
        csr_write(CSR_SATP, space_satp(&spaces[n], n * 2730 + 1));
        wrong += peek64(VA) != (n + 1) % SPACES;
    }
    printf("entries changed: %d wrong\n", wrong);

    // All spaces under one ASID, with a fence at each switch.
    wrong = 0;
    for (int i = 0; i < 2000; i++) {
        u64 n = (u64)i * 5 % SPACES;

        csr_write(CSR_SATP, space_satp(&spaces[n], 77));
        sfence_asid(77);
        wrong += peek64(VA) != (n + 1) % SPACES;
    }
    printf("one ASID: %d wrong\n", wrong);

    // ASID 0 with a full fence.
    wrong = 0;
    for (int i = 0; i < 500; i++) {
        u64 n = (u64)i * 11 % SPACES;

        csr_write(CSR_SATP, space_satp(&spaces[n], 0));
        sfence_all();
        wrong += peek64(VA) != (n + 1) % SPACES;
    }
    printf("ASID 0: %d wrong\n", wrong);
    space_leave();
}

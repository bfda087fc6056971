// SPDX-License-Identifier: MIT
// Three hundred address spaces, with ASIDs of their own and with one shared, visited in turn and at
// random.
// Shows: P10 P9
#include "page.h"

#define VA    0x180000000ul
#define COUNT 300

static u64          memory[COUNT] __attribute__((aligned(PAGE)));
static struct space spaces[COUNT];

static u64 visit(u64 n)
{
    return peek64(VA + ((u64)&memory[n] & (PAGE - 1))) != n;
}

GUEST(page_spaces)
{
    u64 seed = 7, wrong = 0;

    for (u64 n = 0; n < COUNT; n++) {
        memory[n] = n;
        space_make(&spaces[n], 3);
        space_map(&spaces[n], VA, (u64)&memory[n] & ~(PAGE - 1), PTE_KERNEL, 0);
        space_map(&spaces[n], VA + n * PAGE + PAGE, (u64)&memory[n] & ~(PAGE - 1), PTE_KERNEL, 0);
    }
    space_enter(&spaces[0], 1);
    for (int round = 0; round < 10; round++)
        for (u64 n = 0; n < COUNT; n++) {
            csr_write(CSR_SATP, space_satp(&spaces[n], n + 1));
            wrong += visit(n);
            wrong += TRAPS(peek64(VA + n * PAGE + PAGE)) != CAUSE_NONE;
            wrong += TRAPS(peek64(VA + n * PAGE + 2 * PAGE)) != CAUSE_LOAD_PAGE;
        }
    printf("in turn: %lu wrong\n", wrong);
    for (int i = 0; i < 5000; i++) {
        u64 n = random_next(&seed) % COUNT;

        csr_write(CSR_SATP, space_satp(&spaces[n], n + 1));
        wrong += visit(n);
    }
    printf("at random: %lu wrong\n", wrong);
    for (int i = 0; i < 2000; i++) {
        u64 n = random_next(&seed) % COUNT;

        csr_write(CSR_SATP, space_satp(&spaces[n], 9));
        sfence_asid(9);
        wrong += TRAPS(peek64(VA + n * PAGE + PAGE)) != CAUSE_NONE;
        wrong += TRAPS(peek64(VA + n * PAGE + 2 * PAGE)) != CAUSE_LOAD_PAGE;
    }
    printf("one ASID: %lu wrong\n", wrong);
    space_leave();
}

// SPDX-License-Identifier: MIT
// SUM and MXR act at once, without a fence, in both directions, on pages that have been used
// before.
// Shows: P7 P2
#include "insn.h"
#include "page.h"

#define USER 0x180000000ul
#define EXEC 0x180001000ul
#define BOTH 0x180002000ul

static u64 memory[PAGE / 8] __attribute__((aligned(PAGE)));

GUEST(page_sum_mxr)
{
    struct space space;
    u64          seed = 99, h = HASH_START, faults = 0;

    space_make(&space, 3);
    space_map(&space, USER, (u64)memory, PTE_USER, 0);
    space_map(&space, EXEC, (u64)memory, PTE_V | PTE_X | PTE_AD, 0);
    space_map(&space, BOTH, (u64)memory, PTE_V | PTE_X | PTE_U | PTE_AD, 0);
    space_enter(&space, 0);
    for (int i = 0; i < 5000; i++) {
        u64 bits = random_next(&seed) & (SSTATUS_SUM | SSTATUS_MXR);

        csr_clear(CSR_SSTATUS, (SSTATUS_SUM | SSTATUS_MXR) & ~bits);
        csr_set(CSR_SSTATUS, bits);
        h = hash_add(h, TRAPS(peek64(USER)));
        h = hash_add(h, TRAPS(poke64(USER, 0)));
        h = hash_add(h, TRAPS(peek64(EXEC)));
        h = hash_add(h, TRAPS(peek64(BOTH)));
        faults += trap.cause != CAUSE_NONE;
    }
    csr_clear(CSR_SSTATUS, SSTATUS_SUM | SSTATUS_MXR);
    space_leave();
    printf("%016lx, %lu faults on the last page\n", h, faults);
}

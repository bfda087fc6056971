// SPDX-License-Identifier: MIT
// The ends of the address space: loads, stores and instructions astride the border between the
// lower half and nowhere, and astride the very last byte.
// Shows: P3 C11
#include "access.h"
#include "insn.h"
#include "page.h"

static u8 memory[PAGE] __attribute__((aligned(PAGE)));

static void edge_try(u64 at)
{
    for (int kind = ACCESS_LB; kind <= ACCESS_SD; kind++) {
        struct cpu c;
        u64        cause = access_try(&c, MODE_U, kind, at, 0);

        printf("  %s %#lx: %s tval %#lx\n", accesses[kind].name, at, cause_text(cause),
               cause == CAUSE_NONE ? 0 : c.tval);
    }
}

static void jump_try(u64 at)
{
    struct cpu c;

    cpu_init(&c, MODE_U, at);
    cpu_run(&c);
    printf("  jump to %#lx: %s pc %#lx tval %#lx\n", at, cause_text(c.cause), c.pc, c.tval);
}

GUEST(page_edges)
{
    for (int levels = 3; levels <= 5; levels++) {
        u64          half = 1ul << (11 + 9 * levels);
        struct space space;

        if (!levels_supported(levels))
            continue;
        space_make(&space, levels);
        space_map(&space, half - PAGE, (u64)memory, PTE_USER | PTE_X, 0);
        space_map(&space, -half, (u64)memory, PTE_USER | PTE_X, 0);
        space_map(&space, -PAGE, (u64)memory, PTE_USER | PTE_X, 0);
        space_enter(&space, 0);
        printf("%d levels\n", levels);
        edge_try(half - 1);
        edge_try(half - 4);
        edge_try(half);
        edge_try(-half - 4);
        edge_try(-half);
        edge_try(~0ul);
        edge_try(-4ul);
        for (size_t i = 0; i < PAGE; i += 2)
            *(u16 *)&memory[i] = 0x0001;                // c.nop
        fence_i();
        jump_try(half - 2);
        jump_try(-2ul);
        *(u16 *)&memory[PAGE - 2] = 0x0513;             // the first half of an addi
        fence_i();
        jump_try(half - 2);
        jump_try(-2ul);
        space_leave();
    }
}

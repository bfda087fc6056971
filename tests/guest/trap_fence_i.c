// SPDX-License-Identifier: MIT
// Code that changes: after fence.i the new instructions run, from both modes, also when the change
// was made through another mapping of the page.
// Shows: P11
#include "insn.h"
#include "page.h"

#define ALIAS 0x180000000ul

static int stale_count(enum mode mode, u64 write_at, u64 run_at)
{
    int stale = 0;

    for (u32 i = 0; i < 1000; i++) {
        struct cpu c;

        poke32(write_at, insn_addi(A0, ZERO, i & 0x7ff));
        poke32(write_at + 4, INSN_EBREAK);
        fence_i();
        cpu_init(&c, mode, run_at);
        cpu_run(&c);
        stale += c.cause != CAUSE_BREAKPOINT || c.x[A0] != (i & 0x7ff);
    }
    return stale;
}

// A loop in S-mode that patches the instruction ahead of it and fences by itself.
static u64 self_patch(void)
{
    struct cpu c;
    u64        base = CODE(insn_store(2, A2, A1, 16), INSN_FENCE_I, INSN_NOP, INSN_NOP,
                           insn_addi(A0, A0, 1),            // replaced by what a2 holds
                           INSN_EBREAK);

    cpu_init(&c, MODE_S, base);
    c.x[A0] = 0;
    c.x[A1] = base;
    c.x[A2] = insn_addi(A0, A0, 7);
    cpu_run(&c);
    return c.x[A0];
}

GUEST(trap_fence_i)
{
    struct space space;
    u64          at = (u64)code_page;

    printf("Bare: U %d stale, S %d stale\n", stale_count(MODE_U, at, at),
           stale_count(MODE_S, at, at));
    printf("self-patching gives %lu\n", self_patch());

    space_make(&space, 3);
    space_map(&space, ALIAS, at, PTE_V | PTE_R | PTE_W | PTE_AD, 0);
    space_enter(&space, 0);
    printf("by an alias: U %d stale, S %d stale\n", stale_count(MODE_U, ALIAS, user_alias(at)),
           stale_count(MODE_S, ALIAS, at));
    space_leave();
}

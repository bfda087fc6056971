// SPDX-License-Identifier: MIT
// Svinval, where the hart has it: its three instructions fence as sfence.vma does; from U-mode they
// are illegal anyway.
// Shows: P1
#include "insn.h"
#include "page.h"

#define VA 0x180000000ul

static u64 memory[2][PAGE / 8] __attribute__((aligned(PAGE)));

static void sinval(u64 va)
{
    __asm__ volatile(".insn r 0x73, 0, 0x0c, x0, x0, x0\n"      // sfence.w.inval
                     ".insn r 0x73, 0, 0x0b, x0, %0, x0\n"      // sinval.vma va, zero
                     ".insn r 0x73, 0, 0x0c, x0, x0, x1\n"      // sfence.inval.ir
                     :: "r"(va) : "memory");
}

GUEST(page_svinval)
{
    static const u32 insns[] = { 0x18000073, 0x16000073, 0x18100073 };
    struct space     space;
    u64              wrong = 0;

    for (size_t i = 0; i < 3; i++) {
        struct cpu c;
        u64        base = CODE(insns[i], INSN_EBREAK);

        cpu_init(&c, MODE_U, base);
        cpu_run(&c);
        cpu_print("from U", &c, base);
        cpu_init(&c, MODE_S, base);
        cpu_run(&c);
        cpu_print("from S", &c, base);
        if (c.cause == CAUSE_ILLEGAL)
            return;
    }
    memory[1][0] = 1;
    space_make(&space, 3);
    space_map(&space, VA, (u64)memory[0], PTE_KERNEL, 0);
    space_enter(&space, 0);
    for (u64 i = 0; i < 2000; i++) {
        *space_slot(&space, VA, 0) = pte_make((u64)memory[i & 1], PTE_KERNEL);
        sinval(VA);
        wrong += peek64(VA) != (i & 1);
    }
    space_leave();
    printf("%lu wrong\n", wrong);
}

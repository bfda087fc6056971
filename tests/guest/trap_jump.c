// SPDX-License-Identifier: MIT
// Jumps without paging: to odd addresses (bit 0 is dropped), to holes, beyond the physical
// addresses.  The trap's pc is the target, and the link register is written.
// Shows: C4 P3
#include "insn.h"

static void jump_try(enum mode mode, u64 target)
{
    struct cpu c;
    u64        base = CODE(insn_i(0x67, 0, RA, A1, 0), INSN_EBREAK);

    cpu_init(&c, mode, base);
    c.x[A1] = target;
    cpu_run(&c);
    printf("%c to %#lx: %s pc %#lx tval %#lx ra %+ld\n", mode == MODE_U ? 'U' : 'S', target,
           cause_text(c.cause), c.pc, c.tval, (long)(c.x[RA] - base));
}

GUEST(trap_jump)
{
    static const u64 targets[] = {
        0, 1, 2, 0x84000000, 0x84000003, 0x100000000, 0x100000001, 1ul << 38, 1ul << 39, 1ul << 47,
        1ul << 55, 1ul << 56, 1ul << 63, ~0ul, ~1ul, ~0xffful, 0xffffffff80000000,
    };

    for (enum mode mode = MODE_U; mode <= MODE_S; mode++) {
        struct cpu c;
        u64        base;

        for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
            jump_try(mode, targets[i]);

        base = CODE(insn_i(0x67, 0, RA, A1, 5), INSN_NOP, INSN_EBREAK);
        cpu_init(&c, mode, base);
        c.x[A1] = base + 4;
        cpu_run(&c);
        cpu_print("jalr to an odd address", &c, base);
    }
}

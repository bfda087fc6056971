// SPDX-License-Identifier: MIT
// LR and SC as far as the architecture fixes them: the pair succeeds in a loop, an SC without a
// reservation fails, a second SC fails; whatever comes between, an SC that fails stores nothing and
// one that succeeds stores all.
// Shows: C5
#include "insn.h"
#include "page.h"

#define VA 0x180000000ul

static u64 memory[PAGE / 8] __attribute__((aligned(PAGE)));

// lr.d a0, (a1); `between`; sc.d a3, a2, (a1): whether the SC told the truth.  What is between may
// change a4, or end the run.
static bool truthful(enum mode mode, u32 between)
{
    struct cpu c;
    u64        base = CODE(insn_amo(2, 3, A0, A1, ZERO), between, insn_amo(3, 3, A3, A1, A2),
                           INSN_EBREAK);

    memory[0] = 5;
    cpu_init(&c, mode, base);
    c.x[A1] = (u64)memory;
    c.x[A2] = 6;
    cpu_run(&c);
    if (c.pc != base + 12)
        return memory[0] == 5;
    return c.x[A0] == 5 && memory[0] == (c.x[A3] ? 5 : 6);
}

static u64 increments(enum mode mode, u32 width)
{
    struct cpu c;
    u64        base = CODE(insn_amo(2, width, A0, A1, ZERO), insn_addi(A0, A0, 1),
                           insn_amo(3, width, A3, A1, A0), 0xfe069ae3,      // bnez a3, .-12
                           insn_addi(A2, A2, -1), 0xfe0616e3,               // bnez a2, .-20
                           INSN_EBREAK);

    memory[0] = 0;
    cpu_init(&c, mode, base);
    c.x[A1] = (u64)memory;
    c.x[A2] = 20000;
    cpu_run(&c);
    return c.cause == CAUSE_BREAKPOINT ? memory[0] : ~0ul;
}

static void failing_try(enum mode mode)
{
    struct cpu c;
    u64        base = CODE(insn_amo(2, 3, A0, A1, ZERO), insn_amo(3, 3, A3, A1, A2),
                           insn_amo(3, 3, A4, A1, A2), insn_amo(2, 3, A0, A1, ZERO),
                           insn_amo(3, 3, A5, A6, A2), insn_amo(3, 3, A7, A6, A2), INSN_EBREAK);

    memory[0] = memory[64] = 0;
    cpu_init(&c, mode, base);
    c.x[A1] = (u64)memory;
    c.x[A2] = 9;
    c.x[A6] = (u64)(memory + 64);
    cpu_run(&c);
    printf("%c: second SC %s, SC elsewhere %s, again %s, memory %lu %lu\n",
           mode == MODE_U ? 'U' : 'S', c.x[A4] ? "fails" : "succeeds",
           c.x[A5] ? "fails" : "succeeds", c.x[A7] ? "fails" : "succeeds", memory[0], memory[64]);
}

GUEST(atom_lrsc)
{
    static const u32 between[] = {
        INSN_NOP, INSN_FENCE_I, INSN_EBREAK, INSN_SFENCE, 0x10002773, 0x14202773, 0x0000000f,
        0xc0102773,
    };

    for (enum mode mode = MODE_U; mode <= MODE_S; mode++) {
        int lies = 0;

        printf("%c: %lu and %lu increments\n", mode == MODE_U ? 'U' : 'S', increments(mode, 2),
               increments(mode, 3));
        failing_try(mode);
        for (size_t i = 0; i < sizeof between / sizeof *between; i++)
            if (mode == MODE_S || (between[i] & 0x7f) != 0x73)
                lies += !truthful(mode, between[i]);
        printf("%c: %d lies\n", mode == MODE_U ? 'U' : 'S', lies);
    }
}

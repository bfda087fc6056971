// SPDX-License-Identifier: MIT
// Every AMO on memory: old value, new value, sign extension, ordering bits, rd = x0; and that the
// encodings in between are illegal.
// Shows: C1
#include "insn.h"

static u64 memory[4] __attribute__((aligned(16)));

GUEST(atom_amo)
{
    static const u64 values[] = {
        0, 1, ~0ul, 0x7fffffff, 0x80000000, 0xffffffff, 1ul << 63, 0x123456789abcdef0,
    };

    for (u32 funct5 = 0; funct5 < 32; funct5++) {
        if (funct5 == 2 || funct5 == 3)
            continue;
        printf("funct5 %02x:", funct5);
        for (u32 funct3 = 0; funct3 < 8; funct3++) {
            u64 h = HASH_START, traps = 0;

            for (u64 i = 0; i < 64; i++) {
                u32        order = i % 4 << 25;
                u64        base = CODE(insn_amo(funct5, funct3, i & 4 ? A0 : ZERO, A1, A2) | order,
                                       INSN_EBREAK);
                struct cpu c;

                memory[0] = values[i % 8];
                cpu_init(&c, i & 8 ? MODE_U : MODE_S, base);
                c.x[A1] = (u64)memory;
                c.x[A2] = values[i / 8];
                cpu_run(&c);
                traps += c.cause != CAUSE_BREAKPOINT;
                h = hash_add(h, c.cause);
                h = hash_add(h, c.tval);
                h = hash_add(h, c.x[A0]);
                h = hash_add(h, memory[0]);
            }
            printf(" %lu/%04lx", traps, h >> 48);
        }
        printf("\n");
    }
}

// SPDX-License-Identifier: MIT
// Misaligned loads and stores, every width at every offset, within a page and across two: the data
// that a load gives and that a store leaves.
// Shows: C11
#include "access.h"

static u8 memory[64] __attribute__((aligned(64)));

static void memory_fill(void)
{
    for (size_t i = 0; i < sizeof memory; i++)
        memory[i] = 0x80 + i * 3;
}

GUEST(trap_misaligned)
{
    for (enum mode mode = MODE_U; mode <= MODE_S; mode++)
        for (int kind = ACCESS_LB; kind <= ACCESS_SD; kind++) {
            u64 h = HASH_START;
            u64 traps = 0;

            for (u64 offset = 0; offset < 32; offset++) {
                struct cpu c;
                u64        cause;

                memory_fill();
                cause = access_try(&c, mode, kind, (u64)memory + offset, 0x1122334455667788);
                traps += cause != CAUSE_NONE;
                h = hash_add(h, cause);
                h = hash_add(h, cause == CAUSE_NONE ? c.x[A0] : c.tval - (u64)memory);
                for (size_t i = 0; i < sizeof memory; i++)
                    h = hash_add(h, memory[i]);
                detail("%s +%lu: %s a0 %lx\n", accesses[kind].name, offset, cause_text(cause),
                       c.x[A0]);
            }
            printf("%c %s: %lu traps, %016lx\n", mode == MODE_U ? 'U' : 'S', accesses[kind].name,
                   traps, h);
        }
}

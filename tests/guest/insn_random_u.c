// SPDX-License-Identifier: MIT
// A hundred thousand random 32-bit instructions from U-mode, each in the sandbox.  SYSTEM has
// guests of its own.
// Shows: C1 C4
#include "sandbox.h"

GUEST(insn_random_u)
{
    u64 seed = 0x6475306d3055;

    sandbox_open(MODE_U);
    for (int block = 0; block < 16; block++) {
        u64 h = HASH_START;

        for (int i = 0; i < 6250; i++) {
            u32 insn = (random_next(&seed) >> 32) | 3;

            if ((insn & 0x7f) != 0x73)
                h = sandbox_try(h, insn, 4);
        }
        h = sandbox_fp(h);
        printf("block %2d %016lx\n", block, h);
    }
    sandbox_close();
}

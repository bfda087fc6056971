// SPDX-License-Identifier: MIT
// Every SYSTEM instruction with funct3 = 0 from S-mode, over all values of funct12 and some
// registers: the fences are legal, and M-mode's instructions and the rest are not.  ecall, sret and
// wfi have guests of their own; in wrs.nto and wrs.sto a hart may wait.
// Shows: C1 C4
#include "insn.h"
#include "sandbox.h"

static bool changes_flow(u32 funct12)
{
    return funct12 == 0 || funct12 == 0x102 || funct12 == 0x105 || funct12 == 0x00d
        || funct12 == 0x01d;
}

GUEST(insn_system_s)
{
    sandbox_open(MODE_S);
    for (u32 block = 0; block < 4096; block += 64) {
        u64 h = HASH_START;

        for (u32 funct12 = block; funct12 < block + 64; funct12++) {
            if (!changes_flow(funct12))
                h = sandbox_try(h, insn_i(0x73, 0, ZERO, ZERO, funct12), 4);
            h = sandbox_try(h, insn_i(0x73, 0, ZERO, A0, funct12), 4);
            h = sandbox_try(h, insn_i(0x73, 0, A0, ZERO, funct12), 4);
            h = sandbox_try(h, insn_i(0x73, 0, A0, A1, funct12), 4);
        }
        printf("%03x %016lx\n", block, h);
    }
    sandbox_close();
}

// SPDX-License-Identifier: MIT
// Every SYSTEM instruction with funct3 = 0 from U-mode, over all values of funct12 and some
// registers: what user code may do (ecall, ebreak) and that all the rest is illegal.
// wrs.nto and wrs.sto are left out: a hart may wait in them.
// Shows: C1 C4
#include "insn.h"
#include "sandbox.h"

GUEST(insn_system_u)
{
    sandbox_open(MODE_U);
    for (u32 block = 0; block < 4096; block += 64) {
        u64 h = HASH_START;

        for (u32 funct12 = block; funct12 < block + 64; funct12++) {
            if (funct12 == 0x00d || funct12 == 0x01d)
                continue;
            h = sandbox_try(h, insn_i(0x73, 0, ZERO, ZERO, funct12), 4);
            h = sandbox_try(h, insn_i(0x73, 0, ZERO, A0, funct12), 4);
            h = sandbox_try(h, insn_i(0x73, 0, A0, ZERO, funct12), 4);
            h = sandbox_try(h, insn_i(0x73, 0, A0, A1, funct12), 4);
        }
        printf("%03x %016lx\n", block, h);
    }
    sandbox_close();
}

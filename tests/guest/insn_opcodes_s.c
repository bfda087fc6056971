// SPDX-License-Identifier: MIT
// The shape of the whole 32-bit instruction space from S-mode: every opcode with every funct3 and
// funct7, with two choices of registers.  One hash for each opcode.  SYSTEM has guests of its own.
// Shows: C1 C4
#include "insn.h"
#include "sandbox.h"

GUEST(insn_opcodes_s)
{
    sandbox_open(MODE_S);
    for (u32 op = 3; op < 128; op += 4) {
        u64 h = HASH_START;

        if (op == 0x73)
            continue;
        for (u32 funct3 = 0; funct3 < 8; funct3++)
            for (u32 funct7 = 0; funct7 < 128; funct7++) {
                h = sandbox_try(h, insn_r(op, funct3, funct7, A0, A1, A2), 4);
                h = sandbox_try(h, insn_r(op, funct3, funct7, ZERO, T0, ZERO), 4);
            }
        h = sandbox_fp(h);
        printf("opcode %02x %016lx\n", op, h);
    }
    sandbox_close();
}

// SPDX-License-Identifier: MIT
// MISC-MEM: every fence with every predecessor, successor and mode, fence.i with odd fields, and
// the cache-block operations without leave, from both modes.
// Shows: C1
#include "insn.h"
#include "sandbox.h"

GUEST(insn_fence)
{
    for (enum mode mode = MODE_U; mode <= MODE_S; mode++) {
        u64 fence = HASH_START, fence_i_odd = HASH_START, other = HASH_START;

        sandbox_open(mode);
        for (u32 imm = 0; imm < 4096; imm++) {
            fence = sandbox_try(fence, insn_i(0x0f, 0, ZERO, ZERO, imm), 4);
            if (imm % 64 == 0)
                fence = sandbox_try(fence, insn_i(0x0f, 0, A0, A1, imm), 4);
        }
        for (u32 imm = 0; imm < 4096; imm += 37) {
            fence_i_odd = sandbox_try(fence_i_odd, insn_i(0x0f, 1, ZERO, ZERO, imm), 4);
            fence_i_odd = sandbox_try(fence_i_odd, insn_i(0x0f, 1, A0, A1, imm), 4);
        }
        for (u32 funct3 = 2; funct3 < 8; funct3++)
            for (u32 imm = 0; imm < 16; imm++)
                other = sandbox_try(other, insn_i(0x0f, funct3, ZERO, A1, imm), 4);
        sandbox_close();
        printf("%c: fence %016lx fence.i %016lx others %016lx\n", mode == MODE_U ? 'U' : 'S', fence,
               fence_i_odd, other);
    }
}

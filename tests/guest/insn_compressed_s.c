// SPDX-License-Identifier: MIT
// All 16-bit instructions from S-mode, each in the sandbox: the trap that ends it and the registers
// it changed.  One hash for each 1024 encodings.
// Shows: C1 C4
#include "sandbox.h"

GUEST(insn_compressed_s)
{
    sandbox_open(MODE_S);
    for (u32 block = 0; block < 0x10000; block += 1024) {
        u64 h = HASH_START;

        for (u32 insn = block; insn < block + 1024; insn++)
            if ((insn & 3) != 3)
                h = sandbox_try(h, insn, 2);
        printf("%04x %016lx\n", block, h);
    }
    sandbox_close();
}

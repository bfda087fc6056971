// SPDX-License-Identifier: MIT
// Encodings longer than 32 bits, all zeros and all ones: illegal, with as much in stval as the hart
// gives.
// Shows: C1 C4
#include "insn.h"

GUEST(insn_long)
{
    static const u64 insns[] = {
        0x000000000000001f, 0x123456789abcde1f, 0x000000000000003f, 0x123456789abcde3f,
        0x000000000000007f, 0x123456789abc107f, 0x123456789abc707f, 0xffffffffffffffff,
        0x0000000000000000, 0x9002900200000000, 0x900290020000ffff, 0x9002ffffffffffff,
    };

    for (size_t i = 0; i < sizeof insns / sizeof *insns; i++) {
        for (enum mode mode = MODE_U; mode <= MODE_S; mode++) {
            struct cpu c;
            u64        base = CODE((u32)insns[i], insns[i] >> 32, INSN_EBREAK);

            cpu_init(&c, mode, base);
            cpu_run(&c);
            printf("%016lx from %c", insns[i], mode == MODE_U ? 'U' : 'S');
            cpu_print("", &c, base);
        }
    }
}

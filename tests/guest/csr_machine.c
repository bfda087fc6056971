// SPDX-License-Identifier: MIT
// The machine's own CSRs, and those of the hypervisor that is not there, are illegal instructions
// for S-mode and U-mode, and stval holds the instruction.
// Shows: C1 C2 C12
#include "insn.h"

GUEST(csr_machine)
{
    static const u32 numbers[] = {
        0x300, 0x301, 0x302, 0x303, 0x304, 0x305, 0x306, 0x30a, 0x320, 0x340, 0x341, 0x342, 0x343,
        0x344, 0x3a0, 0x3a1, 0x3b0, 0x3bf, 0x747, 0x7a0, 0x7a1, 0x7a4, 0x7b0, 0xb00, 0xb02, 0xf11,
        0xf12, 0xf13, 0xf14, 0xf15, 0x200, 0x204, 0x280, 0x600, 0x603, 0x643, 0x680, 0xe12, 0x5a8,
        0x800, 0xcc0, 0x9c0, 0xfc0, 0x120, 0x181, 0xc80, 0x000, 0x004, 0x041,
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        for (enum mode mode = MODE_U; mode <= MODE_S; mode++) {
            struct cpu c;
            u64        base = CODE(insn_csr(CSRRS, A0, numbers[i], ZERO), INSN_EBREAK);

            cpu_init(&c, mode, base);
            cpu_run(&c);
            printf("%03x from %c: %s pc %+ld tval %#lx\n", numbers[i], mode == MODE_U ? 'U' : 'S',
                   cause_text(c.cause), (long)(c.pc - base), c.tval);
        }
    }
}

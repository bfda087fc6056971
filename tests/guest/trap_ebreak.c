// SPDX-License-Identifier: MIT
// ebreak and c.ebreak from both modes: cause, pc and stval.
// Shows: C4
#include "insn.h"

GUEST(trap_ebreak)
{
    for (enum mode mode = MODE_U; mode <= MODE_S; mode++) {
        struct cpu c;
        u64        base = CODE(INSN_NOP, INSN_EBREAK);

        cpu_init(&c, mode, base);
        cpu_run(&c);
        cpu_print(mode == MODE_U ? "ebreak U" : "ebreak S", &c, base);

        base = CODE(0x90020001);            // c.nop, c.ebreak
        cpu_init(&c, mode, base);
        cpu_run(&c);
        cpu_print(mode == MODE_U ? "c.ebreak U" : "c.ebreak S", &c, base);

        base = CODE(0x00730001, 0x90020010);    // c.nop, ebreak at an odd halfword
        cpu_init(&c, mode, base);
        cpu_run(&c);
        cpu_print(mode == MODE_U ? "halfword ebreak U" : "halfword ebreak S", &c, base);
    }
}

// SPDX-License-Identifier: MIT
// The privileged instructions from U-mode: each an illegal instruction, whatever its registers.
// Shows: C1 C4
#include "insn.h"

GUEST(trap_user_privileged)
{
    static const struct {
        const char *name;
        u32         insn;
    } insns[] = {
        { "sret", INSN_SRET }, { "mret", 0x30200073 }, { "uret", 0x00200073 }, { "wfi", INSN_WFI },
        { "sfence.vma", INSN_SFENCE }, { "sfence.vma a0, zero", INSN_SFENCE | A0 << 15 },
        { "sfence.vma zero, a0", INSN_SFENCE | A0 << 20 },
        { "sfence.vma a0, a1", INSN_SFENCE | A0 << 15 | A1 << 20 },
        { "hfence.vvma", 0x22000073 }, { "hfence.gvma", 0x62000073 },
        { "sinval.vma", 0x16000073 }, { "sfence.w.inval", 0x18000073 },
        { "hlv.w", 0x6805c573 }, { "csrr satp", 0x18002573 }, { "csrw satp", 0x18051073 },
    };

    for (size_t i = 0; i < sizeof insns / sizeof *insns; i++) {
        struct cpu c;
        u64        base = CODE(insns[i].insn, INSN_EBREAK);

        cpu_init(&c, MODE_U, base);
        cpu_run(&c);
        cpu_print(insns[i].name, &c, base);
    }
}

// SPDX-License-Identifier: MIT
// What a trap does to sstatus, from both modes and with interrupts on and off: SPP, SPIE and SIE
// change, SUM, MXR and FS stay.
// Shows: C2 C4
#include "insn.h"

static void trap_try(const char *what, enum mode mode, u64 more, u32 insn)
{
    u64        seen = SSTATUS_SIE | SSTATUS_SPIE | SSTATUS_SPP | SSTATUS_SUM | SSTATUS_MXR
                    | SSTATUS_FS;
    struct cpu c;
    u64        base = CODE(insn, INSN_EBREAK);

    cpu_init(&c, mode, base);
    c.sstatus &= ~(SSTATUS_SUM | SSTATUS_MXR | SSTATUS_FS);
    c.sstatus |= more;
    cpu_run(&c);
    printf("%s from %c with %#lx: %s sstatus %#lx\n", what, mode == MODE_U ? 'U' : 'S', more,
           cause_text(c.cause), c.sstatus & seen);
}

GUEST(trap_sstatus)
{
    static const u64 more[] = {
        0, SSTATUS_SPIE, SSTATUS_SUM, SSTATUS_MXR, FS_INITIAL, FS_CLEAN, FS_DIRTY,
        SSTATUS_SPIE | SSTATUS_SUM | SSTATUS_MXR | FS_CLEAN,
    };

    for (enum mode mode = MODE_U; mode <= MODE_S; mode++)
        for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
            trap_try("ebreak", mode, more[i], INSN_EBREAK);
            trap_try("illegal", mode, more[i], 0);
            trap_try("fetch fault", mode, more[i], 0x00008067);     // ret to a mark
            trap_try("load fault", mode, more[i], insn_load(3, A0, A1, 0));
            if (mode == MODE_U)
                trap_try("ecall", mode, more[i], INSN_ECALL);
        }
}

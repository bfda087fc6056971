// SPDX-License-Identifier: MIT
// FS: what each kind of floating-point instruction makes of Initial, Clean and Dirty, in both
// modes, and that the kernel's own writes of FS hold.
// Shows: C6
#include "fp.h"
#include "insn.h"

GUEST(fp_state)
{
    static const struct {
        const char *name;
        u32         insn;
    } insns[] = {
        { "nop", INSN_NOP }, { "flw", 0x0005a507 }, { "fld", 0x0005b507 }, { "fsw", 0x00a5a027 },
        { "fsd", 0x00a5b027 }, { "fadd.s", 0x00b50553 }, { "fadd.d", 0x02b50553 },
        { "fmadd.d", 0x62b50543 }, { "fmv.x.d", 0xe2050553 }, { "fmv.d.x", 0xf2050553 },
        { "fcvt.w.d", 0xc2051553 }, { "fcvt.d.w", 0xd2050553 }, { "fsgnj.d", 0x22b50553 },
        { "frcsr", 0x00302573 }, { "fscsr", 0x00301073 }, { "fsflagsi", 0x00105073 },
        { "c.fld", 0x90022188 }, { "c.fsd", 0x9002a188 },
    };
    static const struct fp zeros;
    u64 memory = 0;

    for (size_t i = 0; i < sizeof insns / sizeof *insns; i++) {
        printf("%s:", insns[i].name);
        for (enum mode mode = MODE_U; mode <= MODE_S; mode++)
            for (u64 fs = FS_INITIAL; fs <= FS_DIRTY; fs += FS_INITIAL) {
                struct cpu c;
                u64        base = CODE(insns[i].insn, INSN_EBREAK);

                fs_set(FS_DIRTY);
                fp_load(&zeros);
                fs_set(fs);
                cpu_init(&c, mode, base);
                c.x[A1] = (u64)&memory;
                cpu_run(&c);
                printf(" %lu%s", c.sstatus >> 13 & 3,
                       c.cause == CAUSE_BREAKPOINT ? "" : cause_text(c.cause));
            }
        printf("\n");
    }
}

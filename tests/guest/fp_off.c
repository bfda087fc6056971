// SPDX-License-Identifier: MIT
// With FS = Off every floating-point instruction is illegal, from both modes and in every length.
// Shows: C6 C1
#include "fp.h"
#include "insn.h"

GUEST(fp_off)
{
    static const struct {
        const char *name;
        u32         insn;
    } insns[] = {
        { "flw", 0x0005a507 }, { "fld", 0x0005b507 }, { "fsw", 0x00a5a027 }, { "fsd", 0x00a5b027 },
        { "fadd.s", 0x00b50553 }, { "fadd.d", 0x02b50553 }, { "fmadd.d", 0x62b50543 },
        { "fmv.x.d", 0xe2050553 }, { "fmv.d.x", 0xf2050553 }, { "fcvt.w.d", 0xc2050553 },
        { "feq.d", 0xa2b52553 }, { "fclass.s", 0xe0051553 }, { "frcsr", 0x00302573 },
        { "fsflags", 0x00151073 }, { "c.fld", 0x90022188 }, { "c.fsd", 0x9002a188 },
        { "c.fldsp", 0x90022502 }, { "c.fsdsp", 0x9002a02a },
    };
    u64 memory = 0;

    fs_set(FS_OFF);
    for (enum mode mode = MODE_U; mode <= MODE_S; mode++)
        for (size_t i = 0; i < sizeof insns / sizeof *insns; i++) {
            struct cpu c;
            u64        base = CODE(insns[i].insn, INSN_EBREAK);

            cpu_init(&c, mode, base);
            c.x[A1] = c.x[SP] = (u64)&memory;
            cpu_run(&c);
            printf("%c ", mode == MODE_U ? 'U' : 'S');
            cpu_print(insns[i].name, &c, base);
        }
}

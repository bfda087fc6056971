// SPDX-License-Identifier: MIT
// Floating-point results and flags over random operands, every OP-FP and fused instruction in every
// rounding mode, from U-mode: they are the hart's own.
// Shows: C6 C1
#include "fp.h"
#include "insn.h"

GUEST(fp_arith)
{
    u64 seed = 2718;

    fs_set(FS_DIRTY);
    for (u32 format = 0; format < 2; format++) {
        for (u32 funct5 = 0; funct5 < 32; funct5++) {
            u64 h = HASH_START, traps = 0;

            for (int i = 0; i < 64; i++) {
                u32        insn = insn_r(0x53, random_next(&seed) & 7, funct5 << 2 | format, A0, A1,
                                         random_next(&seed) & 3);
                u64        base = CODE(insn, INSN_EBREAK);
                struct fp  fp;
                struct cpu c;

                for (int r = 0; r < 32; r++) {
                    fp.f[r] = random_next(&seed);
                    if (format == 0)
                        fp.f[r] |= 0xffffffff00000000;
                }
                fp.fcsr = (random_next(&seed) & 3) << 5;
                fp_load(&fp);
                cpu_init(&c, MODE_U, base);
                c.x[A1] = fp.f[9];
                cpu_run(&c);
                fp_store(&fp);
                traps += c.cause != CAUSE_BREAKPOINT;
                h = hash_add(h, c.x[A0]);
                h = hash_add(h, fp.f[A0]);
                h = hash_add(h, fp.fcsr);
            }
            printf("format %u funct5 %02x: %lu traps %016lx\n", format, funct5, traps, h);
        }
    }
}

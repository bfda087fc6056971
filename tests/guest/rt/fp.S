# SPDX-License-Identifier: MIT
# fp_load and fp_store: a0 = struct fp, 32 registers and then fcsr.

        .option arch, +f, +d
        .altmacro

        .macro  each_f op
        .set    n, 0
        .rept   32
        each_f_one \op, %n
        .set    n, n + 1
        .endr
        .endm

        .macro  each_f_one op, n
        \op     f\n, \n * 8(a0)
        .endm

        .text
        .globl  fp_load, fp_store
fp_load:
        each_f  fld
        ld      t0, 32 * 8(a0)
        csrw    fcsr, t0
        ret

fp_store:
        each_f  fsd
        csrr    t0, fcsr
        sd      t0, 32 * 8(a0)
        ret

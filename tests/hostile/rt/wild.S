# SPDX-License-Identifier: MIT
# The trap vector of an attacker that has lost itself, and the way to get lost.

        .option norelax
        .altmacro

        .weak   wild_again

        .text
        .balign 4
        .globl  wild_vector
wild_vector:
        la      sp, stack_top
        csrw    sscratch, zero
        li      t0, 0xc0002                     # SUM, MXR, SIE
        csrc    sstatus, t0
        call    wild_again

        .macro  load_one n
        ld      x\n, \n * 8(a0)
        .endm

# a0 = pc, a1 = sstatus, a2 = registers.
        .globl  wild_go
wild_go:
        csrci   sstatus, 2
        csrw    sepc, a0
        csrw    sstatus, a1
        mv      a0, a2
        .set    n, 1
        .rept   9
        load_one %n
        .set    n, n + 1
        .endr
        .set    n, 11
        .rept   21
        load_one %n
        .set    n, n + 1
        .endr
        ld      a0, 10 * 8(a0)
        sret

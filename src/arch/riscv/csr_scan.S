# SPDX-License-Identifier: MIT
# Which S-level CSRs the hart has: a CSR's number is part of the instruction, so there is one
# instruction for each.  In M-mode reading one that exists does not trap (Priv. 1.12, 2.1).

        .text
        # bool csr_s_exists(unsigned n): the n-th of those below.  A trap leads to 1.
        .globl  csr_s_exists
csr_s_exists:
        lla     t0, readers
        slli    a0, a0, 3
        add     t0, t0, a0
        lla     t1, 1f
        csrrw   t1, mtvec, t1
        mv      t2, ra
        li      a0, 0
        jalr    t0
        li      a0, 1
        .balign 4
1:      csrw    mtvec, t1
        jr      t2

        # 0x100 to 0x1ff, 0x500 to 0x5ff, 0x900 to 0x9ff, 0xd00 to 0xdff, 8 bytes each.
        .option push
        .option norvc
        .balign 4
readers:
        .set    number, 0x100
        .rept   4
        .rept   256
        csrr    t3, number
        ret
        .set    number, number + 1
        .endr
        .set    number, number + 0x300
        .endr
        .option pop

# SPDX-License-Identifier: MIT
# The registers of the floating-point and vector units, which belong to guests: saved when a vCPU
# leaves a hart and loaded when it comes.  The only such instructions in the monitor
# (tools/check-no-fp.py), and they compute nothing.
#
# a0 = where the registers are kept; mstatus.FS and VS are as before when a function returns.

        .equ    STATUS_FS, 3 << 13
        .equ    STATUS_VS, 3 << 9

        .macro  each_fp op
        \op     f0, 0(a0)
        \op     f1, 8(a0)
        \op     f2, 16(a0)
        \op     f3, 24(a0)
        \op     f4, 32(a0)
        \op     f5, 40(a0)
        \op     f6, 48(a0)
        \op     f7, 56(a0)
        \op     f8, 64(a0)
        \op     f9, 72(a0)
        \op     f10, 80(a0)
        \op     f11, 88(a0)
        \op     f12, 96(a0)
        \op     f13, 104(a0)
        \op     f14, 112(a0)
        \op     f15, 120(a0)
        \op     f16, 128(a0)
        \op     f17, 136(a0)
        \op     f18, 144(a0)
        \op     f19, 152(a0)
        \op     f20, 160(a0)
        \op     f21, 168(a0)
        \op     f22, 176(a0)
        \op     f23, 184(a0)
        \op     f24, 192(a0)
        \op     f25, 200(a0)
        \op     f26, 208(a0)
        \op     f27, 216(a0)
        \op     f28, 224(a0)
        \op     f29, 232(a0)
        \op     f30, 240(a0)
        \op     f31, 248(a0)
        .endm

        .text
        .option arch, +d, +v

        # void fp_save(struct fp_regs *to)
        .globl  fp_save
fp_save:
        csrr    t0, mstatus
        li      t1, STATUS_FS
        csrs    mstatus, t1
        each_fp fsd
        frcsr   t1
        sd      t1, 256(a0)
        csrw    mstatus, t0
        ret

        # void fp_load(const struct fp_regs *from)
        .globl  fp_load
fp_load:
        csrr    t0, mstatus
        li      t1, STATUS_FS
        csrs    mstatus, t1
        each_fp fld
        ld      t1, 256(a0)
        fscsr   t1
        csrw    mstatus, t0
        ret

        # void vector_save(struct vector_regs *to, u64 vlenb).  With vstart other than 0 the stores
        # would begin in the middle (V 1.0, 3.7).
        .globl  vector_save
vector_save:
        csrr    t0, mstatus
        li      t1, STATUS_VS
        csrs    mstatus, t1
        csrr    t2, vstart
        sd      t2, 0(a0)
        csrr    t1, vcsr
        sd      t1, 8(a0)
        csrr    t1, vl
        sd      t1, 16(a0)
        csrr    t1, vtype
        sd      t1, 24(a0)
        csrw    vstart, zero
        addi    a0, a0, 32
        slli    a1, a1, 3
        vs8r.v  v0, (a0)
        add     a0, a0, a1
        vs8r.v  v8, (a0)
        add     a0, a0, a1
        vs8r.v  v16, (a0)
        add     a0, a0, a1
        vs8r.v  v24, (a0)
        csrw    vstart, t2              # the same vCPU may go on without a load
        csrw    mstatus, t0
        ret

        # void vector_load(const struct vector_regs *from, u64 vlenb)
        .globl  vector_load
vector_load:
        csrr    t0, mstatus
        li      t1, STATUS_VS
        csrs    mstatus, t1
        csrw    vstart, zero
        mv      t2, a0
        addi    a0, a0, 32
        slli    a1, a1, 3
        vl8re8.v v0, (a0)
        add     a0, a0, a1
        vl8re8.v v8, (a0)
        add     a0, a0, a1
        vl8re8.v v16, (a0)
        add     a0, a0, a1
        vl8re8.v v24, (a0)
        ld      t1, 16(t2)              # vl
        ld      t3, 24(t2)              # vtype; one with vill set is refused, and so set again
        vsetvl  zero, t1, t3
        ld      t1, 8(t2)
        csrw    vcsr, t1
        ld      t1, 0(t2)
        csrw    vstart, t1
        csrw    mstatus, t0
        ret

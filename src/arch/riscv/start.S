# SPDX-License-Identifier: MIT
# The monitor's first instructions.  OpenSBI's fw_dynamic protocol: a0 = hart id, a1 = device tree,
# a2 = struct fw_dynamic_info.  Any number of harts may come here, at any address the image was put.
#
# Until the stack is set up: s0, s1, s2 = a0, a1, a2; everything is pc-relative.
# In C code tp is the hart's index: 0 for the one that boots, then in the order of arrival.

#include "arch/riscv/layout.h"

        .section .text.start, "ax"
        .globl  _start
_start:
        csrw    mie, zero
        csrw    mscratch, zero
        mv      s0, a0
        mv      s1, a1
        mv      s2, a2

        # One hart boots, the others are parked.
        lla     t0, lottery
        li      t1, 1
        amoadd.w t1, t1, (t0)
        bnez    t1, other

        # The image was linked for one address and may stand at another: apply the relocations.
        lla     t0, _image_start        # where it is
        lla     t1, link_base
        ld      t1, 0(t1)               # where it was linked
        sub     t2, t0, t1              # t2 = the difference, before link_base itself is relocated
        lla     t3, _rela_start
        lla     t4, _rela_end
1:      bgeu    t3, t4, 2f
        ld      t5, 0(t3)               # r_offset
        ld      a3, 16(t3)              # r_addend
        add     t5, t5, t2
        add     a3, a3, t2
        sd      a3, 0(t5)
        addi    t3, t3, 24
        j       1b
2:
        lla     t0, _bss_start
        lla     t1, _bss_end
3:      bgeu    t0, t1, 4f
        sd      zero, 0(t0)
        addi    t0, t0, 8
        j       3b
4:
        fence.i
        lla     sp, _stacks
        li      t0, STACK_STRIDE
        add     sp, sp, t0              # the boot hart has the first stack
        lla     t0, trap_entry
        csrw    mtvec, t0
        mv      a0, s0
        mv      a1, s1
        mv      a2, s2
        mv      tp, zero
        mv      s0, zero                # ends the backtrace
        call    boot

        # Another hart waits until the boot hart calls it with an IPI (harts_release), takes an index
        # and the stack that goes with it.
other:
        li      t0, 8                   # MSIE
        csrw    mie, t0
1:      wfi
        lla     t0, harts_released
        lw      t0, (t0)
        beqz    t0, 1b
        fence   rw, rw
        fence.i
        csrw    mie, zero
        lla     t0, harts_arrived
        li      t1, 1
        amoadd.w t1, t1, (t0)
        addi    tp, t1, 1
        li      t0, MAX_HARTS
        bgeu    tp, t0, park
        lla     sp, _stacks
        li      t0, STACK_STRIDE
        addi    t1, tp, 1
        mul     t0, t0, t1
        add     sp, sp, t0
        lla     t0, trap_entry
        csrw    mtvec, t0
        mv      s0, zero
        call    boot_other

        .globl  park
park:   csrw    mie, zero
1:      wfi
        j       1b

        .section .data
        .balign 8
lottery:
        .dword  0
harts_arrived:
        .word   0
        .globl  harts_released
harts_released:
        .word   0

        # Not relocated: an absolute constant, the address that the linker gave to the image.
        .section .rodata
        .balign 8
link_base:
        .dword  LINK_BASE

# SPDX-License-Identifier: MIT
# Into the guest and out of it.
#
# While a guest runs, mscratch holds its frame; while the monitor runs, it holds 0.  So the first
# two instructions of the trap entry tell whose trap it is.  mstatus is left as the trap left it:
# MPP is the guest's mode, and MIE stays 0 in the monitor.
#
# The monitor keeps its hart's index in tp; guest_run() brings it back with the other registers.
# trap_hot() runs with the guest's tp.

#include "arch/frame.h"
#include "arch/riscv/layout.h"

        .macro  each_callee_saved op
        \op     s0, 8(sp)
        \op     s1, 16(sp)
        \op     s2, 24(sp)
        \op     s3, 32(sp)
        \op     s4, 40(sp)
        \op     s5, 48(sp)
        \op     s6, 56(sp)
        \op     s7, 64(sp)
        \op     s8, 72(sp)
        \op     s9, 80(sp)
        \op     s10, 88(sp)
        \op     s11, 96(sp)
        .endm

        # What trap_hot() may clobber: it is compiled to preserve t2 to t6 as well (see the
        # Makefile).  a0, which is the base, is left out.
        .macro  each_scratch op
        \op     ra, FRAME_X(1)(a0)
        \op     sp, FRAME_X(2)(a0)
        \op     t0, FRAME_X(5)(a0)
        \op     t1, FRAME_X(6)(a0)
        \op     a1, FRAME_X(11)(a0)
        \op     a2, FRAME_X(12)(a0)
        \op     a3, FRAME_X(13)(a0)
        \op     a4, FRAME_X(14)(a0)
        \op     a5, FRAME_X(15)(a0)
        \op     a6, FRAME_X(16)(a0)
        \op     a7, FRAME_X(17)(a0)
        .endm

        .macro  each_preserved op
        \op     gp, FRAME_X(3)(a0)
        \op     tp, FRAME_X(4)(a0)
        \op     t2, FRAME_X(7)(a0)
        \op     s0, FRAME_X(8)(a0)
        \op     s1, FRAME_X(9)(a0)
        \op     s2, FRAME_X(18)(a0)
        \op     s3, FRAME_X(19)(a0)
        \op     s4, FRAME_X(20)(a0)
        \op     s5, FRAME_X(21)(a0)
        \op     s6, FRAME_X(22)(a0)
        \op     s7, FRAME_X(23)(a0)
        \op     s8, FRAME_X(24)(a0)
        \op     s9, FRAME_X(25)(a0)
        \op     s10, FRAME_X(26)(a0)
        \op     s11, FRAME_X(27)(a0)
        \op     t3, FRAME_X(28)(a0)
        \op     t4, FRAME_X(29)(a0)
        \op     t5, FRAME_X(30)(a0)
        \op     t6, FRAME_X(31)(a0)
        .endm

        .section .text.guest_run, "ax"  # in a page of its own: see hot_path.ld
        # void guest_run(struct frame *f): a0 = f
        .globl  guest_run
guest_run:
        addi    sp, sp, -128
        sd      ra, 0(sp)
        each_callee_saved sd
        sd      a0, 104(sp)
        sd      tp, 112(sp)
        sd      sp, FRAME_HOST_SP(a0)
load_all:
        ld      t0, FRAME_PC(a0)
        csrw    mepc, t0
        each_preserved ld
load_scratch:
        csrw    mscratch, a0            # from here a trap is the guest's
        each_scratch ld
        ld      a0, FRAME_X(10)(a0)
        mret

        # All traps of the hart, while a vCPU is traced: as below, but none is done on the hot path.
        .balign 4
        .globl  trap_entry_all
trap_entry_all:
        csrrw   a0, mscratch, a0
        beqz    a0, trap_own
        each_scratch sd
        each_preserved sd
        csrrw   t0, mscratch, zero
        sd      t0, FRAME_X(10)(a0)
        ld      sp, FRAME_HOST_SP(a0)
        j       long_way

        # All traps of the hart.  mtvec wants 4-byte alignment.
        .balign 4
        .globl  trap_entry
trap_entry:
        csrrw   a0, mscratch, a0
        beqz    a0, trap_own
        each_scratch sd
        each_preserved sd
        csrrw   t0, mscratch, zero      # from here a trap is the monitor's
        sd      t0, FRAME_X(10)(a0)
        ld      sp, FRAME_HOST_SP(a0)
        csrr    a1, mcause
        li      a2, 2                   # EXC_ILLEGAL_INSN
        bne     a1, a2, long_way
        csrr    a1, mtval
        call    trap_hot                # what each_preserved names is still the guest's, in registers
        mv      a1, a0
        ld      a0, 104(sp)             # the frame
        beqz    a1, long_way
        csrr    t0, mepc
        addi    t0, t0, 4
        csrw    mepc, t0
        addi    a1, a1, -HOT_ALL
        bltz    a1, load_scratch
        sd      t0, FRAME_PC(a0)
        beqz    a1, load_all
        li      a1, -1
        srli    a1, a1, 1               # TRAP_DONE
        sd      a1, FRAME_CAUSE(a0)
        j       to_monitor
long_way:
        csrr    t0, mepc
        sd      t0, FRAME_PC(a0)
        csrr    t0, mcause
        sd      t0, FRAME_CAUSE(a0)
        csrr    t0, mtval
        sd      t0, FRAME_TVAL(a0)
to_monitor:
        each_callee_saved ld
        ld      ra, 0(sp)
        ld      tp, 112(sp)
        addi    sp, sp, 128
        ret

        .text
        # csr.c is compiled so that t2 to t6 are preserved by whatever it calls (see the Makefile),
        # and other files are not.  So it calls these, with the arguments of what they call.
        .macro  kept function
        .globl  \function\()_kept
\function\()_kept:
        addi    sp, sp, -48
        sd      ra, 0(sp)
        sd      t2, 8(sp)
        sd      t3, 16(sp)
        sd      t4, 24(sp)
        sd      t5, 32(sp)
        sd      t6, 40(sp)
        call    \function
        ld      ra, 0(sp)
        ld      t2, 8(sp)
        ld      t3, 16(sp)
        ld      t4, 24(sp)
        ld      t5, 32(sp)
        ld      t6, 40(sp)
        addi    sp, sp, 48
        ret
        .endm

        kept    timer_set
        kept    clock_now

        # The monitor's own trap.  a0 = 0, mscratch = the a0 of the time.  Another stack, since the
        # trap may be that ours is full.
trap_own:
        lla     a0, own_taken           # there is one frame and one stack for the last words
        amoswap.w a0, a0, (a0)          # any value but 0 will do
        bnez    a0, own_again
        lla     a0, own_frame
        each_scratch sd
        each_preserved sd
        csrr    t0, mscratch
        sd      t0, FRAME_X(10)(a0)
        csrr    t0, mepc
        sd      t0, FRAME_PC(a0)
        csrr    t0, mcause
        sd      t0, FRAME_CAUSE(a0)
        csrr    t0, mtval
        sd      t0, FRAME_TVAL(a0)
        csrr    t0, mhartid
        lla     t1, own_hart
        sw      t0, (t1)
        csrw    mscratch, zero
own_report:
        ld      t0, FRAME_X(2)(a0)      # tp may be a guest's; the stack tells the hart's index
        addi    t0, t0, -1
        lla     t1, _stacks
        sub     t0, t0, t1
        li      t1, STACK_STRIDE
        divu    tp, t0, t1
        li      t1, MAX_HARTS
        bltu    tp, t1, 1f
        mv      tp, zero
1:      lla     sp, own_stack_top
        call    own_trap

        # Another hart is in trouble too: it is silent.  The same hart again: own_trap() ends it.
own_again:
        csrw    mscratch, zero
        csrr    t0, mhartid
        lla     t1, own_hart
        lw      t1, (t1)
        lla     a0, own_frame
        beq     t0, t1, own_report
        j       park

        .data
        .balign 4
own_taken:
        .word   0
own_hart:
        .word   -1

        .bss
        .balign 16
own_frame:
        .skip   FRAME_SIZE
        .balign 16
        .skip   4096
own_stack_top:

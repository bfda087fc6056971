# SPDX-License-Identifier: MIT
# All of the kernel's assembly: the image's header, the first instructions, the way into a process
# and back, and the processes' program as bytes.
#
# sscratch tells whose trap it is: it holds the running process, and 0 while the kernel runs.

        .option norelax

# struct proc, as kernel.h has it.
        .equ    PROC_PC,        32 * 8
        .equ    PROC_KERNEL_SP, 33 * 8
        .equ    STACK_SIZE,     16384

# op reg, at 8 * its number(\base), for registers \from to \to.
        .altmacro
        .macro  each_reg op, base, from, to
        .set    n, \from
        .rept   \to - \from + 1
        each_reg_one \op, \base, %n
        .set    n, n + 1
        .endr
        .endm
        .macro  each_reg_one op, base, n
        \op     x\n, \n * 8(\base)
        .endm

# The header of a Linux Image (Linux, Documentation/arch/riscv/boot-image-header.rst), by which
# loaders know where to put the kernel and how much memory it takes.
        .section .head, "ax"
        .option push
        .option norvc
        j       boot
        nop
        .option pop
        .dword  0x200000                        # text_offset: from the start of RAM
        .dword  image_end - image_start         # image_size
        .dword  0                               # flags: little endian
        .word   2                               # version 0.2
        .word   0
        .dword  0
        .ascii  "RISCV\0\0\0"
        .ascii  "RSC\005"
        .word   0

# a0 = hart id, a1 = device tree; supervisor mode, no paging (SBI specification, chapter 9).
boot:   csrw    sie, zero
        csrw    satp, zero
        csrw    sscratch, zero
        la      t0, trap_entry
        csrw    stvec, t0
        li      t0, 0x6700                      # FS and VS: off; SPP: sret goes to user mode
        csrc    sstatus, t0
        li      t0, 0x20                        # SPIE: and there interrupts are on
        csrs    sstatus, t0                     # each trap from user mode leaves these two as here
        la      t0, bss_start
        la      t1, image_end
1:      sd      zero, (t0)
        addi    t0, t0, 8
        bltu    t0, t1, 1b
        la      sp, stack_top
        li      s0, 0                           # the frame pointer: backtraces end here
        tail    kernel_main

# void proc_run(struct proc *a0): into the process; comes back through trap_entry.
        .text
        .globl  proc_run
proc_run:
        addi    sp, sp, -28 * 8
        sd      ra, 1 * 8(sp)
        each_reg sd, sp, 8, 9                   # s0, s1
        each_reg sd, sp, 18, 27                 # s2 to s11
        sd      sp, PROC_KERNEL_SP(a0)
        csrw    sscratch, a0
        ld      t0, PROC_PC(a0)
        csrw    sepc, t0
        each_reg ld, a0, 1, 9
        each_reg ld, a0, 11, 31
        ld      a0, 10 * 8(a0)
        sret

        .balign 4
        .globl  trap_entry
trap_entry:
        csrrw   a0, sscratch, a0                # a0 = the process
        beqz    a0, own_trap
        each_reg sd, a0, 1, 9
        each_reg sd, a0, 11, 31
        csrrw   t0, sscratch, zero              # t0 = the process's a0
        sd      t0, 10 * 8(a0)
        csrr    t0, sepc
        sd      t0, PROC_PC(a0)
        ld      sp, PROC_KERNEL_SP(a0)
        ld      ra, 1 * 8(sp)
        each_reg ld, sp, 8, 9
        each_reg ld, sp, 18, 27
        addi    sp, sp, 28 * 8
        ret                                     # from proc_run

# The kernel itself trapped, and there is no way back: the stack begins anew.
own_trap:
        la      sp, stack_top
        csrr    a0, scause
        csrr    a1, sepc
        csrr    a2, stval
        tail    kernel_trap

# Every trap leads to a place where nothing is, and so to the next trap.
        .globl  hart_break
hart_break:
        csrw    stvec, zero
        unimp

        .bss
        .balign 16
        .skip   STACK_SIZE
stack_top:

# What user/ was linked to.
        .section .user, "a"
        .globl  user_text, user_text_end, user_data, user_data_end
        .balign 4096
user_text:
        .incbin "user.text"
        .balign 4096
user_text_end:
user_data:
        .incbin "user.data"
        .balign 4096
user_data_end:

# SPDX-License-Identifier: MIT
# All of the kernel's assembly: the image's header, the first instructions, the way out of a process
# and into the next one, the call of the firmware, and the processes' program as bytes.
#
# sscratch tells whose trap it is: it holds the running process, and 0 while the kernel runs.

        .option norvc                           # the header counts on four bytes for `j`
        .globl  _start, sbi_call, program, program_end


# a0 points to a struct proc (kernel.h): register n is kept at 8 * n(a0), and the pc behind the last.
# op reg, for all registers but x0 and a0.
        .macro  each_reg op
        .irp    n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
        \op     x\n, 8 * \n(a0)
        .endr
        .endm

# The header of a Linux Image (Linux, Documentation/arch/riscv/boot-image-header.rst), by which
# loaders know where to put the kernel and how much memory it takes.
        .section .head, "ax"
_start: j       boot
        nop
        .dword  0x200000                        # from the start of RAM
        .dword  stack_top - _start               # how much
        .dword  0, 2, 0                         # little endian; version 0.2 of this header
        .ascii  "RISCV\0\0\0RSC\5\0\0\0\0"

# a0 = hart id, a1 = device tree; supervisor mode, no paging (SBI specification, chapter 9).
boot:   csrw    sscratch, zero
        la      t0, trap_entry
        csrw    stvec, t0
        li      t0, 0x20                        # SPIE, not SPP: sret goes to user mode, and there
        csrw    sstatus, t0                     # interrupts are on; each trap leaves it as here
        la      sp, stack_top
        call    kernel_main                     # a0 = the first process

# Into the process a0, where it left off.
proc_enter:
        csrw    sscratch, a0
        ld      t0, 8 * 32(a0)
        csrw    sepc, t0
        each_reg ld
        ld      a0, 8 * 10(a0)
        sret

# A process has trapped: its registers are kept, and the kernel's stack begins anew.
        .balign 4
trap_entry:
        csrrw   a0, sscratch, a0                # a0 = the process
        beqz    a0, kernel_trap                 # none: the kernel itself, and there is no way back
        each_reg sd
        csrrw   t0, sscratch, zero              # t0 = the process's a0
        sd      t0, 8 * 10(a0)
        csrr    t0, sepc
        sd      t0, 8 * 32(a0)
        la      sp, stack_top
        li      s0, 0                           # the frame pointer: backtraces end here
        call    trap_handle                     # a0 = who goes on
        j       proc_enter

# sbi_call(a0, a1, extension, function)
sbi_call:
        mv      a7, a2
        mv      a6, a3
        ecall
        ret

program:
        .incbin "user.bin"
program_end:

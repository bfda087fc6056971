# SPDX-License-Identifier: MIT
# The assembly of every guest: the image's header, the first instructions, the one trap entry, and
# cpu_run(), which runs a few instructions in either mode with every register chosen and comes back
# with every register as the trap found it.
#
# sscratch tells who was running when a trap came.  Zero: the guest's own C code; the trap is handed
# to trap_kernel() with a frame on the same stack.  Otherwise it points to the struct cpu that
# cpu_run() was given, and the trap ends that run.

        .option norelax

# struct cpu, as rt/guest.h has it.
        .equ    CPU_PC,      32 * 8
        .equ    CPU_SSTATUS, 33 * 8
        .equ    CPU_CAUSE,   34 * 8
        .equ    CPU_TVAL,    35 * 8
        .equ    CPU_KERNEL,  36 * 8             # ra, sp, gp, tp, s0 to s11, sstatus

# struct frame: x0 to x31, then these.
        .equ    FRAME_PC,      32 * 8
        .equ    FRAME_SSTATUS, 33 * 8
        .equ    FRAME_CAUSE,   34 * 8
        .equ    FRAME_TVAL,    35 * 8
        .equ    FRAME_SIZE,    36 * 8

# op \n, at 8 * n(\base), for all registers but x0 and those named.
        .macro  each_reg op, base, from, to
        .set    n, \from
        .rept   \to - \from + 1
        each_reg_one \op, \base, %n
        .set    n, n + 1
        .endr
        .endm

        .altmacro
        .macro  each_reg_one op, base, n
        \op     x\n, \n * 8(\base)
        .endm

        .section .head, "ax"
        .globl  image_head
image_head:
        .option push
        .option norvc
        j       boot
        nop
        .option pop
        .dword  0x200000                        # text_offset
        .dword  image_end - image_head          # image_size
        .dword  0                               # flags: little endian
        .word   2                               # version 0.2
        .word   0
        .dword  0
        .ascii  "RISCV\0\0\0"
        .ascii  "RSC\005"
        .word   0

# a0 = hart id, a1 = device tree.  What the CSRs held is kept for the guest that looks at it.
boot:
        csrr    s2, sstatus
        csrr    s3, sie
        csrr    s4, satp
        csrw    sie, zero
        csrw    satp, zero
        li      t0, 0x6600                      # FS and VS: as firmware left them
        csrc    sstatus, t0
        csrw    sscratch, zero
        la      t0, trap_entry
        csrw    stvec, t0
        la      t0, bss_start
        la      t1, bss_end
1:      sd      zero, (t0)
        addi    t0, t0, 8
        bltu    t0, t1, 1b
        la      sp, stack_top
        la      t0, boot_state
        sd      a0, 0(t0)
        sd      a1, 8(t0)
        sd      s2, 16(t0)
        sd      s3, 24(t0)
        sd      s4, 32(t0)
        call    guest_boot
1:      j       1b

        .text
        .balign 4
        .globl  trap_entry
trap_entry:
        csrrw   a0, sscratch, a0                # a0 = the run, or 0
        bnez    a0, run_ends

        # The guest's own code trapped.
        csrrw   a0, sscratch, a0                # a0 and sscratch as they were
        addi    sp, sp, -FRAME_SIZE
        sd      x1, 1 * 8(sp)
        each_reg sd, sp, 3, 31
        addi    t0, sp, FRAME_SIZE
        sd      t0, 2 * 8(sp)
        csrr    t0, sepc
        csrr    t1, sstatus
        csrr    t2, scause
        csrr    t3, stval
        sd      t0, FRAME_PC(sp)
        sd      t1, FRAME_SSTATUS(sp)
        sd      t2, FRAME_CAUSE(sp)
        sd      t3, FRAME_TVAL(sp)
        mv      a0, sp
        call    trap_kernel
        ld      t0, FRAME_PC(sp)
        ld      t1, FRAME_SSTATUS(sp)
        csrw    sepc, t0
        csrw    sstatus, t1
        ld      x1, 1 * 8(sp)
        each_reg ld, sp, 3, 31
        addi    sp, sp, FRAME_SIZE
        sret

# a0 = struct cpu, sscratch = the run's a0.
run_ends:
        each_reg sd, a0, 1, 9
        each_reg sd, a0, 11, 31
        csrrw   t0, sscratch, zero
        csrr    t1, sepc
        csrr    t2, sstatus
        csrr    t3, scause
        csrr    t4, stval
        sd      t0, 10 * 8(a0)
        sd      t1, CPU_PC(a0)
        sd      t2, CPU_SSTATUS(a0)
        sd      t3, CPU_CAUSE(a0)
        sd      t4, CPU_TVAL(a0)
        ld      ra, CPU_KERNEL + 0 * 8(a0)
        ld      sp, CPU_KERNEL + 1 * 8(a0)
        ld      gp, CPU_KERNEL + 2 * 8(a0)
        ld      tp, CPU_KERNEL + 3 * 8(a0)
        ld      s0, CPU_KERNEL + 4 * 8(a0)
        ld      s1, CPU_KERNEL + 5 * 8(a0)
        ld      s2, CPU_KERNEL + 6 * 8(a0)
        ld      s3, CPU_KERNEL + 7 * 8(a0)
        ld      s4, CPU_KERNEL + 8 * 8(a0)
        ld      s5, CPU_KERNEL + 9 * 8(a0)
        ld      s6, CPU_KERNEL + 10 * 8(a0)
        ld      s7, CPU_KERNEL + 11 * 8(a0)
        ld      s8, CPU_KERNEL + 12 * 8(a0)
        ld      s9, CPU_KERNEL + 13 * 8(a0)
        ld      s10, CPU_KERNEL + 14 * 8(a0)
        ld      s11, CPU_KERNEL + 15 * 8(a0)
        ld      t0, CPU_KERNEL + 16 * 8(a0)
        csrw    sstatus, t0
        ret

# void cpu_run(struct cpu *a0)
        .globl  cpu_run
cpu_run:
        csrr    t0, sstatus
        sd      ra, CPU_KERNEL + 0 * 8(a0)
        sd      sp, CPU_KERNEL + 1 * 8(a0)
        sd      gp, CPU_KERNEL + 2 * 8(a0)
        sd      tp, CPU_KERNEL + 3 * 8(a0)
        sd      s0, CPU_KERNEL + 4 * 8(a0)
        sd      s1, CPU_KERNEL + 5 * 8(a0)
        sd      s2, CPU_KERNEL + 6 * 8(a0)
        sd      s3, CPU_KERNEL + 7 * 8(a0)
        sd      s4, CPU_KERNEL + 8 * 8(a0)
        sd      s5, CPU_KERNEL + 9 * 8(a0)
        sd      s6, CPU_KERNEL + 10 * 8(a0)
        sd      s7, CPU_KERNEL + 11 * 8(a0)
        sd      s8, CPU_KERNEL + 12 * 8(a0)
        sd      s9, CPU_KERNEL + 13 * 8(a0)
        sd      s10, CPU_KERNEL + 14 * 8(a0)
        sd      s11, CPU_KERNEL + 15 * 8(a0)
        sd      t0, CPU_KERNEL + 16 * 8(a0)
        csrci   sstatus, 2                      # no interrupt before the run has begun
        ld      t0, CPU_PC(a0)
        ld      t1, CPU_SSTATUS(a0)
        csrw    sepc, t0
        csrw    sstatus, t1
        csrw    sscratch, a0
        each_reg ld, a0, 1, 9
        each_reg ld, a0, 11, 31
        ld      a0, 10 * 8(a0)
        sret

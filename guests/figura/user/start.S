# SPDX-License-Identifier: MIT
# A process's first instructions, and the one ecall: step 1 of five begins there.

# a0 = the command line, sp = right below it.
        .section .head, "ax"
        .globl  user_start
user_start:
        tail    program_run

# long call(enum call number, a, b, c)
        .text
        .globl  call
call:
        mv      a7, a0
        mv      a0, a1
        mv      a1, a2
        mv      a2, a3
        .option push
        .option norvc
        ecall
        .option pop
        ret

# SPDX-License-Identifier: MIT
# A process's first instructions, and the one ecall: step 1 of five begins there.

# a0 = the command line, sp = right below it.
        .section .head, "ax"
        .globl  _start, call
_start: tail    process_main

# long call(enum call number, a, b)
call:   mv      a7, a0
        mv      a0, a1
        mv      a1, a2
        ecall
        ret

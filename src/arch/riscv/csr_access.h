// SPDX-License-Identifier: MIT
// Access to real CSRs, and probing of those that may be missing.
#pragma once

#include "isa/csr.h"

#define csr_read(name)                                                                             \
    ({                                                                                             \
        u64 value_;                                                                                \
        __asm__ volatile("csrr %0, " #name : "=r"(value_)::"memory");                              \
        value_;                                                                                    \
    })
#define csr_write(name, value)                                                                     \
    __asm__ volatile("csrw " #name ", %0" ::"rK"((u64)(value)) : "memory")
#define csr_set(name, value) __asm__ volatile("csrs " #name ", %0" ::"rK"((u64)(value)) : "memory")
#define csr_clear(name, value)                                                                     \
    __asm__ volatile("csrc " #name ", %0" ::"rK"((u64)(value)) : "memory")

// Executes one CSR instruction; false if it trapped.  A trap lands on the label behind it.
#define csr_try(insn, operand)                                                                     \
    ({                                                                                             \
        u64 ok_, vec_;                                                                             \
        __asm__ volatile("lla  %[vec], 1f\n\t"                                                     \
                         "csrrw %[vec], mtvec, %[vec]\n\t"                                         \
                         "li   %[ok], 0\n\t" insn "\n\t"                                           \
                         "li   %[ok], 1\n\t"                                                       \
                         ".balign 4\n"                                                             \
                         "1:\tcsrw mtvec, %[vec]"                                                  \
                         : [ok] "=&r"(ok_), [vec] "=&r"(vec_), [reg] "+r"(operand)                 \
                         :                                                                         \
                         : "memory");                                                              \
        ok_ != 0;                                                                                  \
    })
#define csr_try_read(name, to)    csr_try("csrr %[reg], " #name, to)
#define csr_try_write(name, from) csr_try("csrw " #name ", %[reg]", from)

// SPDX-License-Identifier: MIT
// The shape of a CSR: which bits a write can set and clear, one by one and together.  The CSR holds
// its old value again afterwards.
#pragma once

#include "guest.h"

// `keep` are bits that stay as they are.
#define csr_walk(name, csr, keep)                                                           \
    do {                                                                                    \
        u64 old_ = csr_read(csr), stay_ = old_ & (keep);                                    \
        u64 sets_ = 0, clears_ = 0, more_ = 0;                                              \
        u64 zero_, ones_;                                                                   \
        csr_write(csr, stay_);                                                              \
        zero_ = csr_read(csr);                                                              \
        csr_write(csr, ~(keep) | stay_);                                                    \
        ones_ = csr_read(csr);                                                              \
        for (int bit_ = 0; bit_ < 64; bit_++) {                                             \
            u64 mask_ = 1ul << bit_;                                                        \
            u64 got_;                                                                       \
            if ((keep) & mask_)                                                             \
                continue;                                                                   \
            csr_write(csr, stay_);                                                          \
            csr_set(csr, mask_);                                                            \
            got_ = csr_read(csr);                                                           \
            sets_ |= (got_ ^ zero_) & mask_;                                                \
            more_ |= (got_ ^ zero_) & ~mask_;                                               \
            csr_write(csr, ~(keep) | stay_);                                                \
            csr_clear(csr, mask_);                                                          \
            clears_ |= (csr_read(csr) ^ ones_) & mask_;                                     \
        }                                                                                   \
        csr_write(csr, old_);                                                               \
        printf(name ": zero %#lx ones %#lx sets %#lx clears %#lx others %#lx\n", zero_, ones_, \
               sets_, clears_, more_);                                                      \
    } while (0)

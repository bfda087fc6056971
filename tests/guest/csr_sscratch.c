// SPDX-License-Identifier: MIT
// sscratch holds any 64-bit value, through each of the six CSR instructions.
// Shows: C2
#include "guest.h"

GUEST(csr_sscratch)
{
    static const u64 values[] = { 0, ~0ul, 1, 1ul << 63, 0x123456789abcdef0 };

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        u64 before = csr_swap(CSR_SSCRATCH, values[i]);
        u64 after = csr_swap(CSR_SSCRATCH, 0);

        printf("was %#lx wrote %#lx read %#lx\n", before, values[i], after);
    }
}

// SPDX-License-Identifier: MIT
// sepc: bit 1 sticks (the hart has compressed instructions), and addresses that no paging mode can
// translate are held all the same.  Bit 0 is left alone: see README.md.
// Shows: C2 P3
#include "csr.h"

GUEST(csr_sepc)
{
    static const u64 values[] = {
        0, 2, 4, 6, ~0ul - 1, 1ul << 38, 1ul << 47, 1ul << 56, 1ul << 63, 0x80200002,
    };

    csr_walk("sepc", CSR_SEPC, 1ul);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        csr_write(CSR_SEPC, values[i]);
        printf("write %#lx: %#lx\n", values[i], csr_read(CSR_SEPC));
    }
    csr_write(CSR_SEPC, 0);
    csr_set(CSR_SEPC, 2);
    printf("set bit 1: %#lx\n", csr_read(CSR_SEPC));
    __asm__ volatile("csrwi sepc, 30");
    printf("csrwi 30: %#lx\n", csr_read(CSR_SEPC));
}

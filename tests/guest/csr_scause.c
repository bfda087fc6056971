// SPDX-License-Identifier: MIT
// scause and stval: software may keep what it likes in them between traps.
// Shows: C2
#include "csr.h"

GUEST(csr_scause)
{
    static const u64 values[] = { 0, 1, 15, 16, 63, 64, ~0ul, 1ul << 63, 0x8000000000000005,
                                  0x123456789abcdef0 };

    csr_walk("scause", CSR_SCAUSE, 0ul);
    csr_walk("stval", CSR_STVAL, 0ul);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        csr_write(CSR_SCAUSE, values[i]);
        csr_write(CSR_STVAL, ~values[i]);
        printf("write %#lx: scause %#lx stval %#lx\n", values[i], csr_read(CSR_SCAUSE),
               csr_read(CSR_STVAL));
    }
}

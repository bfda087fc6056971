// SPDX-License-Identifier: MIT
// stvec: direct, vectored and the two reserved modes, and what a write of each leaves.
// Shows: C2 P3
#include "guest.h"

GUEST(csr_stvec)
{
    static const u64 bases[] = {
        0, 4, 0x80200000, 0x80200100, 0x7ffffffffc, 0x4000000000, 0x8000000000000000,
        0xfffffffffffffffc, 0x0123456789abcdec,
    };
    u64 old = csr_read(CSR_STVEC);

    printf("mode at start %lu\n", old & 3);
    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++) {
        for (u64 mode = 0; mode < 4; mode++) {
            u64 direct, vectored;

            csr_write(CSR_STVEC, 0x80300000);
            csr_write(CSR_STVEC, bases[i] | mode);
            direct = csr_read(CSR_STVEC);
            csr_write(CSR_STVEC, 0x80300001);
            csr_write(CSR_STVEC, bases[i] | mode);
            vectored = csr_read(CSR_STVEC);
            csr_write(CSR_STVEC, old);
            printf("write %#lx: over direct %#lx, over vectored %#lx\n", bases[i] | mode, direct,
                   vectored);
        }
    }
}

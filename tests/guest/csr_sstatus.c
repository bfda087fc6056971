// SPDX-License-Identifier: MIT
// sstatus: which bits can be written, what SD says for each FS, and that the rest stays.
// UXL is read but never written: what a write of another width does is nobody's promise.
// Shows: C2
#include "csr.h"

GUEST(csr_sstatus)
{
    csr_clear(CSR_SSTATUS, SSTATUS_FS); // firmware leaves it as it likes

    u64 old = csr_read(CSR_SSTATUS);

    printf("UXL %lu\n", (old & SSTATUS_UXL) >> 32);
    csr_walk("sstatus", CSR_SSTATUS, SSTATUS_UXL);
    csr_walk("sstatus without FS", CSR_SSTATUS, SSTATUS_UXL | SSTATUS_FS);

    for (u64 fs = 0; fs < 4; fs++) {
        csr_write(CSR_SSTATUS, (old & ~SSTATUS_FS) | fs << 13);
        printf("FS %lu gives %#lx\n", fs, csr_read(CSR_SSTATUS) & (SSTATUS_FS | SSTATUS_SD));
    }
    csr_write(CSR_SSTATUS, (old & ~SSTATUS_FS) | SSTATUS_SD);
    printf("SD alone gives %#lx\n", csr_read(CSR_SSTATUS) & (SSTATUS_FS | SSTATUS_SD));
    csr_write(CSR_SSTATUS, old & ~SSTATUS_FS);

    // A write through the five-bit immediates reaches SIE only.
    __asm__ volatile("csrsi sstatus, 31");
    printf("csrsi 31: %#lx\n", csr_read(CSR_SSTATUS) & ~SSTATUS_UXL);
    __asm__ volatile("csrci sstatus, 31");
    printf("csrci 31: %#lx\n", csr_read(CSR_SSTATUS) & ~SSTATUS_UXL);
}

// SPDX-License-Identifier: MIT
// fflags, frm and fcsr: masks, aliasing, and that FS = Off makes them illegal.
// Shows: C2 C6
#include "csr.h"

static void fs_set(u64 fs)
{
    csr_write(CSR_SSTATUS, (csr_read(CSR_SSTATUS) & ~SSTATUS_FS) | fs);
}

GUEST(csr_float)
{
    fs_set(FS_DIRTY);
    csr_walk("fflags", CSR_FFLAGS, 0ul);
    csr_walk("frm", CSR_FRM, 0ul);
    csr_walk("fcsr", CSR_FCSR, 0ul);
    csr_write(CSR_FCSR, 0xff);
    printf("fcsr ff: fflags %#lx frm %#lx\n", csr_read(CSR_FFLAGS), csr_read(CSR_FRM));
    csr_write(CSR_FRM, 2);
    csr_write(CSR_FFLAGS, 9);
    printf("frm 2 fflags 9: fcsr %#lx\n", csr_read(CSR_FCSR));
    csr_write(CSR_FCSR, 0);

    for (u64 fs = 1; fs < 4; fs++) {
        u64 after_read, after_write;

        fs_set(fs << 13);
        csr_read(CSR_FCSR);
        after_read = csr_read(CSR_SSTATUS) & (SSTATUS_FS | SSTATUS_SD);
        csr_write(CSR_FCSR, 0);
        after_write = csr_read(CSR_SSTATUS) & (SSTATUS_FS | SSTATUS_SD);
        printf("FS %lu: %#lx after a read, %#lx after a write\n", fs, after_read, after_write);
    }

    fs_set(FS_OFF);
    TRAPS(csr_read(CSR_FFLAGS));
    trap_print("off, read fflags");
    TRAPS(csr_read(CSR_FRM));
    trap_print("off, read frm");
    TRAPS(csr_read(CSR_FCSR));
    trap_print("off, read fcsr");
    TRAPS(csr_write(CSR_FCSR, 1));
    printf("off, write fcsr: %s\n", cause_text(trap.cause));
}

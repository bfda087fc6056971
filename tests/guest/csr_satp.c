// SPDX-License-Identifier: MIT
// satp: a mode that the hart lacks makes the whole write void; ASID and PPN bits stick.
// Identity tables stand behind every mode that is tried, so that the kernel runs on.
// Shows: C2 P4
#include "page.h"

GUEST(csr_satp)
{
    struct space space;

    printf("at start %#lx\n", csr_read(CSR_SATP));
    for (u64 mode = 1; mode < 16; mode++) {
        int levels = mode >= 8 && mode <= 10 ? (int)mode - 5 : 3;
        u64 wrote, read;

        space_make(&space, levels);
        wrote = mode << 60 | (u64)space.root >> 12;
        csr_write(CSR_SATP, wrote);
        read = csr_read(CSR_SATP);
        csr_write(CSR_SATP, 0);
        sfence_all();
        printf("mode %lu: %s\n", mode, read == wrote ? "taken" : read == 0 ? "void" : "other");
    }

    // Mode 0 wants zeros everywhere else; what a hart makes of others is its own affair, but it
    // must not translate.
    space_make(&space, 3);
    for (int bit = 44; bit < 60; bit++) {
        u64 wrote = SATP_SV39 | 1ul << bit | (u64)space.root >> 12;
        u64 read;

        csr_write(CSR_SATP, wrote);
        read = csr_read(CSR_SATP);
        csr_write(CSR_SATP, 0);
        sfence_all();
        printf("ASID bit %d: %s\n", bit - 44, read == wrote ? "sticks" : "drops");
    }

    // A void write changes neither ASID nor PPN.
    csr_write(CSR_SATP, SATP_SV39 | 5ul << 44 | (u64)space.root >> 12);
    csr_write(CSR_SATP, 15ul << 60 | 7ul << 44 | 1);
    printf("void over Sv39: %s\n",
           csr_read(CSR_SATP) == (SATP_SV39 | 5ul << 44 | (u64)space.root >> 12) ? "kept" : "lost");
    csr_write(CSR_SATP, 0);
    sfence_all();
    printf("Bare: %#lx\n", csr_read(CSR_SATP));
}

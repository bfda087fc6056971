// SPDX-License-Identifier: MIT
// The software interrupt, set by the kernel itself: when it is taken, what it saves, that it stays
// until it is cleared.
// Shows: C9
#include "guest.h"

static volatile u64 taken, causes, sepc_first, spp;

static void on_ssi(u64 cause)
{
    taken++;
    causes = hash_add(causes, cause);
    spp = csr_read(CSR_SSTATUS) & (SSTATUS_SPP | SSTATUS_SPIE | SSTATUS_SIE);
    if (taken % 3 == 0)
        csr_clear(CSR_SIP, INT_SSI);        // only the third time: it must come again
}

GUEST(irq_ssip)
{
    on_irq = on_ssi;
    csr_set(CSR_SIP, INT_SSI);
    printf("pending, sie and SIE clear: taken %lu\n", taken);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    printf("SIE set: taken %lu\n", taken);
    csr_set(CSR_SIE, INT_SSI);
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    printf("sie set: taken %lu, sstatus %#lx, sip %#lx, causes %016lx\n", taken, spp,
           csr_read(CSR_SIP), causes);

    csr_write(CSR_SIP, INT_SSI);
    printf("SIE clear: taken %lu\n", taken);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    printf("SIE set: taken %lu\n", taken);

    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    for (int i = 0; i < 1000; i++)
        csr_set(CSR_SIP, INT_SSI);
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    printf("a thousand more: taken %lu\n", taken);

    csr_set(CSR_SIP, INT_SSI);
    csr_clear(CSR_SIP, INT_SSI);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    printf("set and cleared while masked: taken %lu\n", taken);
}

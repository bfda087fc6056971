// SPDX-License-Identifier: MIT
// An IPI to oneself by SBI: it pends in sip.SSIP until it is cleared, and is taken like any other.
// Shows: C9 S1
#include "guest.h"

static volatile u64 taken;

static void on_ssi(u64 cause)
{
    (void)cause;
    csr_clear(CSR_SIP, INT_SSI);
    taken++;
}

static void send_try(const char *what, u64 mask, u64 base)
{
    struct sbi_ret ret = sbi_call(SBI_IPI, 0, mask, base);

    wait_for(csr_read(CSR_SIP) & INT_SSI, 20ul);
    printf("%s: error %ld, sip %#lx\n", what, ret.error, csr_read(CSR_SIP) & INT_SSI);
    csr_clear(CSR_SIP, INT_SSI);
}

GUEST(irq_ipi)
{
    send_try("mask 1 base 0", 1, 0);
    send_try("mask 0 base -1", 0, ~0ul);
    send_try("mask 1 base -1", 1, ~0ul);
    send_try("mask 0 base 0", 0, 0);

    on_irq = on_ssi;
    csr_set(CSR_SIE, INT_SSI);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    for (int i = 0; i < 500; i++) {
        u64 before = taken;

        sbi_call(SBI_IPI, 0, 1, 0);
        if (!wait_for(taken > before, 100ul))
            guest_fail("an IPI was lost");
    }
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    printf("500 sent, %lu taken, sip %#lx\n", taken, csr_read(CSR_SIP));
}

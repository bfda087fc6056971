// SPDX-License-Identifier: MIT
// sip: SSIP is the kernel's to set and clear, STIP and SEIP belong to timer and PLIC.
// Shows: C2 C9
#include "csr.h"

GUEST(csr_sip)
{
    u64 got;

    timer_set(~0ul);
    printf("at start %#lx\n", csr_read(CSR_SIP));
    csr_walk("sip", CSR_SIP, 0ul);

    got = csr_swap(CSR_SIP, ~0ul);
    printf("swap ones: %#lx then %#lx\n", got, csr_read(CSR_SIP));
    csr_clear(CSR_SIP, INT_STI | INT_SEI);
    printf("clear STIP SEIP: %#lx\n", csr_read(CSR_SIP));
    csr_clear(CSR_SIP, INT_SSI);
    printf("clear SSIP: %#lx\n", csr_read(CSR_SIP));
    __asm__ volatile("csrsi sip, 2");
    printf("csrsi 2: %#lx\n", csr_read(CSR_SIP));
    __asm__ volatile("csrrci %0, sip, 2" : "=r"(got));
    printf("csrrci 2: %#lx then %#lx\n", got, csr_read(CSR_SIP));

    // A timer that is due shows in sip, and no write to sip takes it away.
    timer_set(0);
    wait_for(csr_read(CSR_SIP) & INT_STI, 100ul);
    printf("timer due: %#lx\n", csr_read(CSR_SIP));
    csr_write(CSR_SIP, 0);
    printf("after a write of 0: %#lx\n", csr_read(CSR_SIP));
    timer_set(~0ul);
    printf("timer never: %#lx\n", csr_read(CSR_SIP));
}

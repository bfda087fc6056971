// SPDX-License-Identifier: MIT
// sie: the three supervisor interrupts can be enabled, and nothing else.
// Shows: C2
#include "csr.h"

GUEST(csr_sie)
{
    printf("at start %#lx\n", csr_read(CSR_SIE));
    csr_walk("sie", CSR_SIE, 0ul);
    csr_write(CSR_SIE, ~0ul);
    printf("ones: %#lx\n", csr_read(CSR_SIE));
    __asm__ volatile("csrci sie, 31");
    printf("csrci 31: %#lx\n", csr_read(CSR_SIE));
    __asm__ volatile("csrwi sie, 2");
    printf("csrwi 2: %#lx\n", csr_read(CSR_SIE));
    csr_write(CSR_SIE, 0);
}

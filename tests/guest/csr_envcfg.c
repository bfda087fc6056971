// SPDX-License-Identifier: MIT
// scounteren and senvcfg: which bits exist.  scounteren is a register of 32 bits: what the others
// hold is left alone.
// Shows: C2 C10
#include "csr.h"

GUEST(csr_envcfg)
{
    csr_walk("scounteren", CSR_SCOUNTEREN, ~0ul << 32);
    if (TRAPS(csr_read(CSR_SENVCFG)) == CAUSE_NONE)
        csr_walk("senvcfg", CSR_SENVCFG, 0ul);
    else
        trap_print("senvcfg");
}

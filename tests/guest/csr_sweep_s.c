// SPDX-License-Identifier: MIT
// All 4096 CSR numbers from S-mode, read and written in every form: the trap, the value read, the
// value a write leaves.  One hash for each 64 numbers.
// Shows: C1 C2
#include "csr_sweep.h"

GUEST(csr_sweep_s)
{
    csr_sweep(MODE_S);
}

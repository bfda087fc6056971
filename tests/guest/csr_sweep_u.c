// SPDX-License-Identifier: MIT
// All 4096 CSR numbers from U-mode, read and written in every form.  One hash for each 64 numbers.
// Shows: C1 C2
#include "csr_sweep.h"

GUEST(csr_sweep_u)
{
    csr_sweep(MODE_U);
}

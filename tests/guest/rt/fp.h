// SPDX-License-Identifier: MIT
// The floating-point registers as 32 numbers.  The guests are compiled without floating point, so
// what is loaded stays until an instruction under test changes it.  FS must not be Off.
#pragma once

#include "guest.h"

struct fp {
    u64 f[32];
    u64 fcsr;
};

void fp_load(const struct fp *from);
void fp_store(struct fp *to);

static inline void fs_set(u64 fs)
{
    csr_write(CSR_SSTATUS, (csr_read(CSR_SSTATUS) & ~SSTATUS_FS) | fs);
}

static inline u64 fs_get(void)
{
    return csr_read(CSR_SSTATUS) & (SSTATUS_FS | SSTATUS_SD);
}

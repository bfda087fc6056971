// SPDX-License-Identifier: MIT
// The state of the floating-point and vector units, as mstatus shows it (Priv. 1.12, 3.1.6.6).
#pragma once

#include "arch/riscv/csr_access.h"

static ALWAYS_INLINE u64 hart_ext_status(void)
{
    return csr_read(mstatus) & (STATUS_FS | STATUS_VS | STATUS_SD);
}

static ALWAYS_INLINE void hart_ext_status_set(u64 bits)
{
    csr_write(mstatus, bits_merge(csr_read(mstatus), bits, STATUS_FS | STATUS_VS));
}

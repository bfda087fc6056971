// SPDX-License-Identifier: MIT
// The vector registers as bytes.  The guests are compiled without vectors, so what is loaded stays.
#pragma once

#include "guest.h"

#define CSR_VSTART 0x008
#define CSR_VXRM   0x00a
#define CSR_VL     0xc20
#define CSR_VTYPE  0xc21
#define CSR_VLENB  0xc22

#define VECTOR_WORDS 512 // 32 registers of up to 128 bytes

void vector_load(const u64 *from);
void vector_store(u64 *to);
void vector_type_set(u64 vtype, u64 vl);

// Switches them on.  False: the VM has none.
static inline bool vector_on(void)
{
    csr_set(CSR_SSTATUS, SSTATUS_VS);
    return TRAPS(csr_read(CSR_VLENB)) == CAUSE_NONE && csr_read(CSR_VLENB) <= VECTOR_WORDS / 4;
}

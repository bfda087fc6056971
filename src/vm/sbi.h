// SPDX-License-Identifier: MIT
// Names of the RISC-V Supervisor Binary Interface, 2.0.
#pragma once

#include "lib/types.h"

enum sbi_error {
    SBI_SUCCESS               = 0,
    SBI_ERR_FAILED            = -1,
    SBI_ERR_NOT_SUPPORTED     = -2,
    SBI_ERR_INVALID_PARAM     = -3,
    SBI_ERR_DENIED            = -4,
    SBI_ERR_INVALID_ADDRESS   = -5,
    SBI_ERR_ALREADY_AVAILABLE = -6,
};

#define SBI_SPEC_2_0 (2u << 24)
#define SBI_IMPL_ID  0x64756f // "duo": none of the registered numbers (SBI 2.0, 4.9)
#define SBI_IMPL_VER 1

#define SBI_EXT_BASE   0x10
#define SBI_EXT_TIME   0x54494d45
#define SBI_EXT_IPI    0x735049
#define SBI_EXT_RFENCE 0x52464e43
#define SBI_EXT_HSM    0x48534d
#define SBI_EXT_SRST   0x53525354
#define SBI_EXT_DBCN   0x4442434e
#define SBI_EXT_STA    0x535441

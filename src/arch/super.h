// SPDX-License-Identifier: MIT
// What a guest that runs in S-mode has in the hart.
#pragma once

#include "lib/types.h"

// The S-level CSRs of a guest that runs in S-mode.
struct super {
    u64 status;           // SIE, SPIE, SPP, SUM, MXR; MPP, the mode that it is in; UXL
    u64 pending, enabled; // of sip and sie: INT_S
    u64 tvec, epc, cause, tval, scratch, counteren, envcfg;
    u64 timecmp; // where the guest has the hart's stimecmp, of which STIP is made then
};

// A deadline that does not come, and is not what a newer QEMU takes for "never" (see its use).
#define TIMECMP_FAR (~0ul - 1)

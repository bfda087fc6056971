// SPDX-License-Identifier: MIT
// Leaves in sstatus whatever can be written there by a kernel, 32-bit processes above all, and gives
// the hart up: what is not put back is the next one's.
// Shows: C6
#include "hostile.h"

#define UXL_32 (1ul << 32)
#define UXL    (3ul << 32)

GUEST(narrow)
{
    for (u64 round = 0; round < 200; round++) {
        csr_write(CSR_SIE, INT_STI);
        timer_set(time_now() + TICKS_PER_MS / 4);
        csr_write(CSR_SSTATUS, round % 2 ? UXL_32 | SSTATUS_SUM | SSTATUS_MXR : ~UXL | UXL_32);
        csr_clear(CSR_SSTATUS, SSTATUS_SIE);
        __asm__ volatile("wfi");
        csr_write(CSR_SIE, 0);
    }
    say("round done");
    for (;;)
        __asm__ volatile("wfi");
}

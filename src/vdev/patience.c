// SPDX-License-Identifier: MIT
// How long what a device has done may be held back from its driver.
//
// In:     when something is held, and when it is told; the driver's offers.
// Out:    the time by which it is told.
// Always: a driver that makes offers while something is held does not wait for that: it has other
//         work.  So the next time as many offers are waited for as make an interrupt worth while.
//         Where none came the driver may wait for what is held, beside others that use its hart,
//         and the next time is PATIENCE_MIN_US.  Nothing is held for longer than PATIENCE_MAX_US.
// Locks:  none; the device's.
#include "vdev/patience.h"

#include "dev/machine.h"
#include "lib/bits.h"

void patience_reset(struct patience *p)
{
    *p = (struct patience){ .until = ~0ul };
}

void patience_begin(struct patience *p, u64 now_ticks)
{
    u64 most = ticks_of_us(PATIENCE_MAX_US), least = ticks_of_us(PATIENCE_MIN_US);

    if (p->until != ~0ul)
        return;
    p->until   = now_ticks + max_u64(least, min_u64(most, PATIENCE_OFFERS * p->each));
    p->offered = false;
}

void patience_end(struct patience *p, u64 now_ticks)
{
    if (now_ticks >= p->until && !p->offered)
        p->each = 0;
    p->until = ~0ul;
}

void patience_offered(struct patience *p, u64 now_ticks, u32 n)
{
    if (!n)
        return;
    if (p->until != ~0ul) {
        p->each    = min_u64((now_ticks - p->offered_at) / n, ticks_of_us(PATIENCE_MAX_US));
        p->offered = true;
    }
    p->offered_at = now_ticks;
}

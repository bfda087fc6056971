// SPDX-License-Identifier: MIT
// How long what a device has done may be held back from its driver.
//
// In:     when something is held, and when it is told; the driver's offers.
// Out:    the time by which it is told.
// Always: a driver that makes offers while something is held does not wait for that: it has other
//         work.  So the next time as many offers are waited for as make an interrupt worth while.
//         Where none came the time was too short, for a driver computes between its offers, or the
//         driver waits for what is held, beside others that use its hart.  So the time is doubled;
//         when it was long, it is PATIENCE_MIN_US from then on, but for a trial of a long one now
//         and then: the rarer, the more there were in vain.
//         Nothing is held for longer than PATIENCE_MAX_US.
// Locks:  none; the device's.
#include "vdev/patience.h"

#include "dev/machine.h"
#include "lib/bits.h"

void patience_reset(struct patience *p)
{
    *p = (struct patience){ .until = ~0ul, .skips = 1, .vain = 1 };
}

// How long what is held from now on is held.
static u64 time_chosen(const struct patience *p)
{
    u64 most = ticks_of_us(PATIENCE_MAX_US), least = ticks_of_us(PATIENCE_MIN_US);

    if (!p->each)
        return p->skips ? least : most;
    return max_u64(least, min_u64(most, PATIENCE_OFFERS * p->each));
}

void patience_begin(struct patience *p, u64 now_ticks)
{
    if (p->until != ~0ul)
        return;
    p->until   = now_ticks + time_chosen(p);
    p->offered = false;
}

static void was_in_vain(struct patience *p)
{
    if (!p->each && p->skips) {
        p->skips--;
        return;
    }
    p->each = PATIENCE_OFFERS * p->each < ticks_of_us(PATIENCE_MAX_US) ? 2 * p->each : 0;
    if (!p->each)
        p->skips = p->vain = (u32)min_u64(2 * p->vain + 1, PATIENCE_SKIPS_MAX);
}

void patience_end(struct patience *p, u64 now_ticks)
{
    if (p->offered)
        p->vain = 0;
    else if (now_ticks >= p->until)
        was_in_vain(p);
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

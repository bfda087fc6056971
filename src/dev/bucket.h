// SPDX-License-Identifier: MIT
// How much somebody may use of something per second: a token bucket, kept as the time at which what
// was used so far has been paid for.
#pragma once

#include "lib/bits.h"

struct bucket {
    u64 per_s; // units per second; 0: no limit
    u64 burst; // so many ticks may be used in advance
    u64 paid;  // in ticks
};

// May more be used now?  0: yes; otherwise the time, in ticks, from which it may.
static inline u64 bucket_closed_until(const struct bucket *b, u64 now)
{
    return b->per_s && b->paid > now + b->burst ? b->paid - b->burst : 0;
}

// Uses so many units, of which one lot may be larger than what the bucket still holds.  Rounded up:
// otherwise small lots cost nothing where the clock is slow.
static inline void bucket_use(struct bucket *b, u64 units, u64 now, u64 hz)
{
    if (b->per_s)
        b->paid = max_u64(b->paid, now) + (units * hz + b->per_s - 1) / b->per_s;
}

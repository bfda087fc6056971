// SPDX-License-Identifier: MIT
// How long what a device has done may be held back from a driver that does not wait for it.
#pragma once

#include "lib/types.h"

#define PATIENCE_MIN_US 200
#define PATIENCE_MAX_US 2500
#define PATIENCE_OFFERS 4 // so many are waited for, where they come

#define PATIENCE_SKIPS_MAX 255 // times between two trials

struct patience {
    u64  until;      // ticks: what is held is told then; ~0: nothing is held
    u64  offered_at; // ticks: the driver's last offer
    u64  each;       // ticks from one offer to the next, as far as is known; 0: none is expected
    bool offered;    // one has come since the hold began
    u32  skips;      // times until the next trial
    u32  vain;       // how many they were after the last one that was in vain; 0: it was not
};

void patience_reset(struct patience *p);
// Something is held, from now on or already.
void patience_begin(struct patience *p, u64 now_ticks);
// Nothing is any more.
void patience_end(struct patience *p, u64 now_ticks);
// The driver has made n offers since the last call.
void patience_offered(struct patience *p, u64 now_ticks, u32 n);

// SPDX-License-Identifier: MIT
// A spin lock, for what several harts change.  Held for a moment, with interrupts off.  Order: a
// VM's, the scheduler's, the view's, a chip's.
#pragma once

#include "lib/types.h"

struct lock {
    u32 taken;
};

static inline void lock_take(struct lock *l)
{
    while (__atomic_exchange_n(&l->taken, 1, __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&l->taken, __ATOMIC_RELAXED))
            ;
}

static inline void lock_drop(struct lock *l)
{
    __atomic_store_n(&l->taken, 0, __ATOMIC_RELEASE);
}

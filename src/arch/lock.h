// SPDX-License-Identifier: MIT
// Spin locks between harts.  They are few, held briefly, and taken in one order:
// vm->lock, then the scheduler's, then the console's (docs/glossary.md, "lock").
#pragma once

#include "lib/types.h"

struct lock {
    u32 taken;
};

// Set when the monitor panics: who holds a lock then may never drop it, and last words cannot wait.
extern bool locks_are_void;

static inline void lock_take(struct lock *l)
{
    while (__atomic_exchange_n(&l->taken, 1, __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&l->taken, __ATOMIC_RELAXED))
            if (__atomic_load_n(&locks_are_void, __ATOMIC_RELAXED))
                return;
}

static inline void lock_drop(struct lock *l)
{
    __atomic_store_n(&l->taken, 0, __ATOMIC_RELEASE);
}

// SPDX-License-Identifier: MIT
// Spin locks between harts.  They are few, held briefly, and taken in one order:
// vm->lock, then the scheduler's, then the console's, then the serial line's (docs/harts.md).
#pragma once

#include "lib/panic.h"
#include "lib/types.h"

struct lock {
    u32 taken;
};

// When the monitor panics: who holds a lock then may never drop it, and last words cannot wait.
// The first hart that asks has them; another, then or later, never returns.  False: this hart has
// asked before.
bool last_words_take(void);
// Is this the hart that has them?  Another never returns from here once somebody has.
bool last_words_are_mine(void);

static inline void lock_take(struct lock *l)
{
    while (__atomic_exchange_n(&l->taken, 1, __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&l->taken, __ATOMIC_RELAXED))
            if (UNLIKELY(last_words_are_mine()))
                return;
}

static inline void lock_drop(struct lock *l)
{
#ifndef __riscv // on the desk nobody drops what nobody has taken
    ASSERT(__atomic_load_n(&l->taken, __ATOMIC_RELAXED));
#endif
    __atomic_store_n(&l->taken, 0, __ATOMIC_RELEASE);
}

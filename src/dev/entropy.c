// SPDX-License-Identifier: MIT
// The machine's entropy.
//
// In:     bytes of the bundle, clocks and devices.
// Out:    bytes for guests and for the monitor.
// Always: who takes never waits: what the device gives is mixed into the generator (lib/seed.h)
//         when it comes, and more is asked for after each REFILL_BYTES.
// Locks:  one, a leaf, for the generator.
#include "dev/entropy.h"

#include "arch/lock.h"
#include "lib/seed.h"

#define REFILL_BYTES 16384

static struct lock entropy_lock;
static size_t      n_taken; // since the last refill
static void (*source)(void);

void entropy_source(void (*refill)(void))
{
    source = refill;
}

void entropy_mix(const void *data, size_t len)
{
    lock_take(&entropy_lock);
    seed_mix(data, len);
    lock_drop(&entropy_lock);
}

void entropy_take(void *to, size_t len)
{
    bool is_low;

    lock_take(&entropy_lock);
    seed_take(to, len);
    n_taken += len;
    is_low = n_taken >= REFILL_BYTES;
    if (is_low)
        n_taken = 0;
    lock_drop(&entropy_lock);
    if (is_low && source)
        source();
}

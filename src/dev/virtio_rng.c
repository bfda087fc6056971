// SPDX-License-Identifier: MIT
// A physical virtio entropy device (Virtio 1.2, 5.4).
//
// In:     "more is wanted"; the device's interrupts.
// Out:    what the device gives, mixed into the machine's entropy.
// Always: one request at a time.  At boot its answer is waited for, a bounded time, since guests'
//         seeds are made soon; later nobody waits.
// Locks:  one, a leaf, for the ring.
#include "arch/lock.h"
#include "dev/clock.h"
#include "dev/entropy.h"
#include "dev/machine.h"
#include "dev/virtio.h"

#include <string.h>

#define ASK_BYTES    64
#define FIRST_ANSWER 10 // wait at most 1/10 of a second

static struct {
    struct lock       lock;
    struct virtio_hw *hw;
    struct vring      ring;
    bool              asked;
    u8                bytes[ASK_BYTES];
} rng;

static void rng_ask(void)
{
    const struct seg    room = { .at = hpa((u64)rng.bytes), .len = sizeof rng.bytes };
    const struct vpiece part = { &room, 1, true };

    lock_take(&rng.lock);
    if (!rng.asked)
        rng.asked = vring_add(&rng.ring, &part, 1, &rng);
    vring_kick(&rng.ring);
    lock_drop(&rng.lock);
}

// A device that breaks the rules is not asked again.
static void rng_collect(void)
{
    u8  bytes[ASK_BYTES];
    u32 written = 0;

    lock_take(&rng.lock);
    while (vring_take(&rng.ring, &written) || vring_rearm(&rng.ring))
        rng.asked = false;
    if (rng.ring.broken)
        rng.asked = true;
    memcpy(bytes, rng.bytes, sizeof bytes);
    lock_drop(&rng.lock);
    if (written)
        entropy_mix(bytes, written);
}

static void rng_interrupt(void *arg)
{
    (void)arg;
    (void)virtio_hw_interrupt(rng.hw);
    rng_collect();
}

// The first one is used.
const char *virtio_rng_start(struct virtio_hw *hw)
{
    u64         end;
    const char *why;

    if (rng.hw)
        return NULL;
    why = virtio_hw_negotiate(hw, 0);
    if (!why)
        why = vring_make(&rng.ring, hw, 0, 2, 1);
    if (!why)
        why = virtio_hw_go(hw, rng_interrupt, NULL);
    if (why)
        return why;
    rng.hw = hw;
    entropy_source(rng_ask);
    rng_ask();
    end = clock_now() + machine.timebase_hz / FIRST_ANSWER;
    while (rng.asked && !rng.ring.broken && clock_now() < end)
        rng_collect();
    return rng.ring.broken ? "the device breaks the rules of its queue; it is not used" : NULL;
}

// SPDX-License-Identifier: MIT
// The virtual source of entropy: virtio-rng (Virtio 1.2, 5.4).
//
// In:     chains to be filled.
// Out:    unpredictable bytes, of which no other guest got the same; an interrupt.
// Always: a chain is given back at once.  It gets at most MOST_BYTES, and a turn fills at most
//         MOST_CHAINS, or fewer of many pieces, so that a greedy guest waits and not the monitor.
// Locks:  vm->lock, held by the caller.
#include "dev/entropy.h"
#include "vdev/devices.h"
#include "vdev/virtio.h"

#define MOST_BYTES  64
#define MOST_CHAINS 8
#define MOST_PIECES 256 // after so many no further chain is taken

struct vrng {
    struct virtio virtio; // must be first
    struct chain  chain;
    u32           pieces; // taken in this turn
};

static struct vrng *vrng_of(struct vdev *d)
{
    return CONTAINER_OF(d, struct vrng, virtio.dev);
}

static void chain_fill(struct vrng *r)
{
    u8  bytes[MOST_BYTES];
    u32 n = (u32)min_u64(r->chain.in_bytes, sizeof bytes);

    entropy_take(bytes, n);
    virtq_push(&r->virtio.queues[0], r->chain.head, chain_write(&r->chain, bytes, n));
}

// False: there may be more.
static bool chains_fill(struct vrng *r, u32 *n)
{
    for (; *n < MOST_CHAINS && r->pieces < MOST_PIECES; ++*n) {
        if (!virtio_take(&r->virtio, 0, &r->chain))
            return true;
        r->pieces += r->chain.end;
        chain_fill(r);
    }
    return false;
}

static void vrng_tick(struct vdev *d)
{
    struct vrng  *r = vrng_of(d);
    struct virtq *q = &r->virtio.queues[0];
    u32           n = 0;
    bool          all;

    if (!virtio_queue_usable(&r->virtio, 0))
        return;
    r->pieces = 0;
    all       = chains_fill(r, &n);
    if (all) {
        virtq_notify_set(q, true);
        all = chains_fill(r, &n);
    }
    if (!all)
        vdev_deadline_set(d, 0);
    if (n)
        virtio_queue_told(&r->virtio, 0);
}

static void vrng_notify(struct virtio *d, u32 queue)
{
    (void)queue;
    vrng_tick(&d->dev);
}

static const struct virtio_ops virtio_ops = {
    .device_id  = 4,
    .n_queues   = 1,
    .queue_size = VIRTQ_SIZE_USUAL,
    .pieces_max = CHAIN_SEGS_USUAL,
    .notify     = vrng_notify,
};

static void vrng_reset(struct vdev *d)
{
    virtio_of(d)->virtio_ops = &virtio_ops;
    virtio_reset(d);
}

const struct vdev_ops vrng_ops = {
    .name       = "virtio-entropy",
    .state_size = sizeof(struct vrng),
    .sizes      = 1 | 2 | 4 | 8,
    .base       = VIRTIO_BASE(3),
    .size       = VIRTIO_SLOT_SIZE,
    .irq        = VIRTIO_IRQ(3),
    .access     = virtio_access,
    .reset      = vrng_reset,
    .tick       = vrng_tick,
    .describe   = virtio_describe,
    .show       = virtio_show,
};

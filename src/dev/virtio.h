// SPDX-License-Identifier: MIT
// The machine's virtio devices behind MMIO (Virtio 1.2, 4.2), modern and legacy ones, and rings of
// the monitor's own to talk with them.  A driver of one is a row in virtio.c.
#pragma once

#include "dev/driver.h"
#include "dev/irq.h"
#include "dev/virtio_spec.h"
#include "lib/seg.h"

// One device, as the transport knows it.
struct virtio_hw {
    const char *node; // its name in the device tree
    u64         base;
    u32         id; // VIRTIO_ID_...
    u32         irq;
    bool        legacy;   // version 1
    u64         features; // negotiated
};

// What a driver's start() calls, in this order, on the boot hart; each returns NULL, or in one line
// what is wrong and what would help, and then start() returns that.
// Resets the device, and takes those of the wanted features that it offers.
MUST_CHECK const char *virtio_hw_negotiate(struct virtio_hw *hw, u64 wanted);
// Fields of the configuration space of 1, 2, 4 or 8 bytes.
u64 virtio_hw_config(const struct virtio_hw *hw, u32 off, u32 size);
struct vring;
// How long that queue can be; no chain may be longer, indirect or not (2.7.5.3.1).  0: it has none.
u32 vring_size_max(const struct virtio_hw *hw, u32 queue);
// A ring for that queue: at most `size` descriptors, chains of at most `pieces_max` pieces.
MUST_CHECK const char *vring_make(struct vring *r, struct virtio_hw *hw, u32 queue, u32 size,
                                  u32 pieces_max);
// The device may begin.  handler(arg) is called on the boot hart, without a lock.
MUST_CHECK const char *virtio_hw_go(struct virtio_hw *hw, irq_handler *handler, void *arg);

// For handlers: which of VIRTIO_INT_... it was; they are acknowledged.  To be called before the
// rings are looked at.
u32 virtio_hw_interrupt(const struct virtio_hw *hw);
// It has found itself to be in a state that only a reset ends (2.1.2).
bool virtio_hw_failed(const struct virtio_hw *hw);
// Resets the device.  True: from now on it touches no memory.
MUST_CHECK bool virtio_hw_stop(const struct virtio_hw *hw);

// A ring.  It has no lock: the driver's own is held around all calls below.
struct vring {
    // Fixed once it is made:
    struct virtio_hw           *hw;
    u16                         queue, size;
    u32                         pieces_max;
    bool                        indirect, event_index;
    struct vring_desc          *desc;
    struct vring_avail         *avail;
    volatile struct vring_used *used;
    struct vring_desc          *tables; // indirect ones, pieces_max for each descriptor
    struct vring_slot {
        void *token; // of the chain that begins here; NULL: none does
        u32   room;  // bytes that the device may write
        u16   n;     // descriptors of the chain
        u16   next;  // the chain's, or the free ones'
    } * slots;       // one for each descriptor; the device does not see them

    // Under the driver's lock:
    u16  free, n_free;
    u16  n_chains;             // that the device has
    u16  next_avail, told;     // free-running: offered, and made known
    u16  next_used, seen_used; // free-running: taken back, and seen
    bool broken;               // the device's fault: nothing more is offered or taken
};

// A part of a chain: memory that the device reads, or that it writes (`in`).  First come those that
// it reads.
struct vpiece {
    const struct seg *segs;
    u32               n;
    bool              in;
};

// Offers a chain made of the parts.  False: there is no room now, or the ring is broken.  The
// device learns of it by the next vring_kick().  `token` is not NULL.
MUST_CHECK bool vring_add(struct vring *r, const struct vpiece *parts, u32 n_parts, void *token);
// The same, on a ring with indirect descriptors, with a table of the driver's own, of n entries,
// which it keeps until the chain is taken.  The device may write `room` bytes.
MUST_CHECK bool vring_add_table(struct vring *r, const struct vring_desc *table, u32 n, u32 room,
                                void *token);
// Makes entries of such a table: the first, which the device reads; from [1] on, each leading to
// the next; and the last, which the device writes.
void vring_table_begin(struct vring_desc *table, const struct seg *first);
void vring_table_middle(struct vring_desc *table, const struct vpiece *middle);
void vring_table_end(struct vring_desc *last, const struct seg *piece);
void vring_kick(struct vring *r);
// The token of a chain that the device is done with, and how much it has written; NULL: none.
void *vring_take(struct vring *r, u32 *written);
// Without the driver's lock: is the device further than what was taken?
static inline bool vring_is_ahead(const struct vring *r)
{
    return r->used->idx != __atomic_load_n(&r->next_used, __ATOMIC_RELAXED);
}
// All was taken: interrupt when so many more chains are over and then one, where the device can be
// asked for that; else for the next.  As many as the ring's size or more: for none that it has.
// True: more has come meanwhile, which is to be taken.
MUST_CHECK bool               vring_rearm_after(struct vring *r, u32 more);
static inline MUST_CHECK bool vring_rearm(struct vring *r)
{
    return vring_rearm_after(r, 0);
}
// After virtio_hw_stop(): the token of a chain that the device still had; NULL: none.
void *vring_abandon(struct vring *r);

// Boot, once, when memory can be had: starts all that were found.
void virtio_start(say_line *say);

// The drivers.
const char *virtio_blk_start(struct virtio_hw *hw);
const char *virtio_net_start(struct virtio_hw *hw);
const char *virtio_rng_start(struct virtio_hw *hw);

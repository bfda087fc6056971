// SPDX-License-Identifier: MIT
// What all virtio devices of a virtual machine have in common: the MMIO transport, version 2
// (Virtio 1.2, 4.2), status, features, queues and interrupts.  A device is one of these and a table
// of operations.
#pragma once

#include "dev/virtio_spec.h"
#include "vdev/board.h"
#include "vdev/virtq.h"

#define VIRTIO_QUEUES_MAX 4
#define VIRTIO_CONFIG_MAX 64 // bytes
#define VIRTIO_SLOT_SIZE  0x1000ul
#define VIRTIO_BASE(slot) (VSLOTS_BASE + VIRTIO_SLOT_SIZE * (slot))
#define VIRTIO_IRQ(slot)  (1 + (slot))
#define VIRTIO_REGS_SIZE  0x200 // the rest of its slot is nobody's

struct virtio;

struct virtio_ops {
    u32 device_id;  // Virtio 1.2, 5
    u32 n_queues;   // at most VIRTIO_QUEUES_MAX
    u32 queue_size; // the largest that the driver may choose
    u32 pieces_max; // of a chain
    // Beyond those of the transport; may depend on the VM.  NULL: none.
    u64 (*features)(const struct virtio *d);
    // The driver has offered chains in that queue, or may have.
    void (*notify)(struct virtio *d, u32 queue);
    // DRIVER_OK was set: features and queues are settled.
    void (*start)(struct virtio *d);
    // The queues are as after power-on; so must the device be.  Called only when it is quiet.
    void (*reset)(struct virtio *d);
    // Configuration space, as bytes, of which at most `room` are wanted; returns its size.  NULL:
    // there is none.  Beyond it ones are read, as on the board; writes change nothing.
    u32 (*config)(const struct virtio *d, u8 *to, u32 room);
};

struct virtio {
    struct vdev              dev; // must be first
    const struct virtio_ops *virtio_ops;
    u64                      features; // that the driver accepted, once FEATURES_OK is set
    u64                      wanted;   // that it has written so far
    u32                      status, features_select, driver_select, queue_select;
    u32                      interrupts; // InterruptStatus
    u32                      generation; // of the configuration
    struct virtq             queues[VIRTIO_QUEUES_MAX];
};

static inline struct virtio *virtio_of(struct vdev *d)
{
    return CONTAINER_OF(d, struct virtio, dev);
}

// For the table of a device: struct vdev_ops' functions.  STATUS = 0 and QueueReady = 0 while the
// device is not quiet are tried again by the guest until it is.  When a queue is taken back, tick()
// is called to give back what is done.
bool virtio_access(struct vdev *d, struct mmio *m);
void virtio_reset(struct vdev *d);
void virtio_describe(const struct vdev *d, void *fdt);
// "NAME: status 0f, features ..., queue 0: ...", for a device's show().
void virtio_show(const struct vdev *d, struct out *o);

// For devices, with vm->lock held:
// May chains be taken from the queue?  DRIVER_OK, ready, not broken.
static inline bool virtio_queue_usable(const struct virtio *d, u32 queue)
{
    const struct virtq *q = &d->queues[queue];

    return (d->status & (VIRTIO_DRIVER_OK | VIRTIO_NEEDS_RESET)) == VIRTIO_DRIVER_OK && q->ready &&
           !q->stopping;
}
// The next chain of a usable queue; false: there is none.  One that no driver may offer breaks the
// device.
MUST_CHECK bool virtio_take(struct virtio *d, u32 queue, struct chain *c);
// Chains were pushed: interrupts the driver if it wants that.
void virtio_queue_told(struct virtio *d, u32 queue);
// The driver broke a rule: DEVICE_NEEDS_RESET, and a configuration interrupt (2.1.2).
void virtio_break(struct virtio *d);
// The configuration has changed.
void virtio_config_changed(struct virtio *d);

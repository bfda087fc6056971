// SPDX-License-Identifier: MIT
// The virtual console: virtio-console with one port (Virtio 1.2, 5.3), beside the vUART.
//
// In:     chains to be printed and chains to be filled; bytes typed, while its driver is there.
// Out:    bytes to the VM's console, as the vUART's; an interrupt.
// Always: one chain of each queue is taken at a time.  It waits while the console has no room, or
//         until something is typed.  A turn prints at most TURN_BYTES and does TURN_WORK of other
//         work, so that chains of many pieces cost their guest time and nobody else.  The keyboard
//         belongs to it from DRIVER_OK to a reset, and to the vUART before and after.
// Locks:  vm->lock, held by the caller.
#include "vdev/devices.h"
#include "vdev/virtio.h"

#include <string.h>

#define PIECE      64
#define TURN_BYTES 512
#define TURN_WORK  256 // in pieces of chains
#define CHAIN_WORK 8   // of a chain beside its pieces
#define BYTE_WORK  2   // of a byte typed
#define LINE_BYTES 15  // in which a line that ends is counted

enum { RECEIVE, TRANSMIT, QUEUES };

struct vcons {
    struct virtio virtio; // must be first
    bool          has[QUEUES];
    struct chain  chain[QUEUES]; // taken, if has
    u32           received;      // bytes in chain[RECEIVE]
    u32           work;          // of this turn
};

static struct vcons *vcons_of(struct vdev *d)
{
    return CONTAINER_OF(d, struct vcons, virtio.dev);
}

// A chain of that queue is at hand.
static bool chain_have(struct vcons *c, u32 queue)
{
    if (c->has[queue])
        return true;
    c->has[queue] =
        virtio_queue_usable(&c->virtio, queue) && virtio_take(&c->virtio, queue, &c->chain[queue]);
    if (c->has[queue])
        c->work += CHAIN_WORK + c->chain[queue].end;
    return c->has[queue];
}

// It asks to be notified of the next and looks once more.
static bool chain_wait(struct vcons *c, u32 queue)
{
    if (chain_have(c, queue))
        return true;
    if (!virtio_queue_usable(&c->virtio, queue))
        return false;
    virtq_notify_set(&c->virtio.queues[queue], true);
    return chain_have(c, queue);
}

static void chain_give_back(struct vcons *c, u32 queue, u32 written)
{
    c->has[queue] = false;
    virtq_push(&c->virtio.queues[queue], c->chain[queue].head, written);
}

static void received_give_back(struct vcons *c)
{
    chain_give_back(c, RECEIVE, c->received);
    c->received = 0;
}

// The driver takes the queue back, or has broken it.
static void chain_drop(struct vcons *c, u32 queue)
{
    if (!c->has[queue] || virtio_queue_usable(&c->virtio, queue))
        return;
    if (c->virtio.queues[queue].broken)
        c->has[queue] = false;
    else
        chain_give_back(c, queue, 0);
}

// The next bytes of the chain at hand; how many they count.
static u32 piece_print(struct vcons *c)
{
    char text[PIECE];
    u32  n = chain_read(&c->chain[TRANSMIT], text, sizeof text), count = n;

    for (u32 i = 0; i < n; i++)
        count += text[i] == '\n' ? LINE_BYTES : 0;
    c->virtio.dev.vm->console_write(c->virtio.dev.vm, text, n);
    if (!c->chain[TRANSMIT].out_bytes)
        chain_give_back(c, TRANSMIT, 0);
    return count;
}

static void print(struct vcons *c)
{
    struct vm *vm    = c->virtio.dev.vm;
    u32        bytes = 0;

    while (vm->console_room(vm) && chain_wait(c, TRANSMIT)) {
        bytes += piece_print(c);
        if (bytes >= TURN_BYTES || c->work >= TURN_WORK) {
            vdev_deadline_set(&c->virtio.dev, 0); // others have their turn first
            break;
        }
    }
}

// What was typed, into the chain at hand, as far as it has room.
static void chain_fill(struct vcons *c)
{
    struct vm *vm = c->virtio.dev.vm;
    int        byte;

    while (c->chain[RECEIVE].in_bytes && c->work < TURN_WORK &&
           (byte = vm->console_read(vm)) >= 0) {
        c->received += chain_write(&c->chain[RECEIVE], &(u8){ (u8)byte }, 1);
        c->work += BYTE_WORK;
    }
}

// A chain that is full, or can hold nothing, is followed by the next.
static void receive(struct vcons *c)
{
    while (c->work < TURN_WORK && chain_wait(c, RECEIVE)) {
        chain_fill(c);
        if (c->chain[RECEIVE].in_bytes)
            break;
        received_give_back(c);
    }
    if (c->received)
        received_give_back(c);
    if (c->work >= TURN_WORK)
        vdev_deadline_set(&c->virtio.dev, 0);
}

static void vcons_tick(struct vdev *d)
{
    struct vcons *c = vcons_of(d);

    c->work = 0;
    for (u32 i = 0; i < QUEUES; i++)
        chain_drop(c, i);
    if (d->vm->keyboard == d)
        receive(c);
    print(c);
    for (u32 i = 0; i < QUEUES; i++)
        if (c->virtio.queues[i].next_used != c->virtio.queues[i].told_used)
            virtio_queue_told(&c->virtio, i);
}

static void vcons_notify(struct virtio *d, u32 queue)
{
    (void)queue;
    vcons_tick(&d->dev);
}

static void vcons_start(struct virtio *d)
{
    d->dev.vm->keyboard = &d->dev;
    vcons_tick(&d->dev);
}

static void vcons_device_reset(struct virtio *d)
{
    struct vcons *c = vcons_of(&d->dev);

    c->has[RECEIVE] = c->has[TRANSMIT] = false;
    c->received                        = 0;
    d->dev.vm->keyboard                = NULL;
}

// 5.3.4: without features the sizes mean nothing.
static u32 vcons_config(const struct virtio *d, u8 *to, u32 room)
{
    static const u8 config[12] = { [4] = 1 }; // columns, rows, number of ports, emergency write

    (void)d;
    memcpy(to, config, min_u64(sizeof config, room));
    return sizeof config;
}

static const struct virtio_ops virtio_ops = {
    .device_id  = 3,
    .n_queues   = QUEUES,
    .queue_size = VIRTQ_SIZE_USUAL,
    .pieces_max = CHAIN_SEGS_USUAL,
    .notify     = vcons_notify,
    .start      = vcons_start,
    .reset      = vcons_device_reset,
    .config     = vcons_config,
};

static bool vcons_present(const struct vm *vm)
{
    return vm->has_vcons;
}

static void vcons_reset(struct vdev *d)
{
    virtio_of(d)->virtio_ops = &virtio_ops;
    virtio_reset(d);
}

const struct vdev_ops vcons_ops = {
    .name          = "virtio-console",
    .state_size    = sizeof(struct vcons),
    .sizes         = 1 | 2 | 4 | 8,
    .base          = VIRTIO_BASE(2),
    .size          = VIRTIO_SLOT_SIZE,
    .irq           = VIRTIO_IRQ(2),
    .present       = vcons_present,
    .access        = virtio_access,
    .reset         = vcons_reset,
    .tick          = vcons_tick,
    .console_ready = vcons_tick,
    .describe      = virtio_describe,
    .show          = virtio_show,
};

// SPDX-License-Identifier: MIT
// The virtual network card: virtio-net (Virtio 1.2, 5.1) at the VM's port of the switch.
//
// In:     chains of the guest's, to be sent or to be filled; letters in the port's mailbox.
// Out:    frames into the switch; frames and used entries in the guest's RAM, an interrupt.
// Always: a frame is copied out of the sender's RAM by the sender and into the receiver's by the
//         receiver, each at its own cost.  A letter stays in the mailbox while the driver offers no
//         buffer, and the mailbox is what overflows.  A turn's work is bounded; what is left over
//         goes on after the guest has been let in.
// Locks:  vm->lock, held by the caller; the port's wake() has a sender's, and only kicks.
#include "dev/clock.h"
#include "dev/machine.h"
#include "dev/net.h"
#include "dev/offload.h"
#include "vdev/devices.h"
#include "vdev/virtio.h"
#include "vm/gmem.h"

#include <string.h>

enum { RX, TX, QUEUES };

#define F_CSUM       BIT(0)
#define F_GUEST_CSUM BIT(1)
#define F_MTU        BIT(3)
#define F_MAC        BIT(5)
#define F_GUEST_TSO4 BIT(7)
#define F_GUEST_TSO6 BIT(8)
#define F_HOST_TSO4  BIT(11)
#define F_HOST_TSO6  BIT(12)
#define F_MRG_RXBUF  BIT(15)
#define F_STATUS     BIT(16)

#define LINK_UP    1
#define MTU        (FRAME_MAX - ETH_SIZE)
#define CHAIN_WORK 512  // of a chain, and of each of its pieces,
#define PIECE_WORK 128u // in bytes that could be copied instead

// 5.1.4
struct config {
    u8  mac[MAC_SIZE];
    u16 status, max_pairs, mtu;
};

// 5.1.6: before each frame.
struct header {
    struct net_hdr net;
    u16            buffers;
};
#define HEADER_SIZE 12

struct vnet {
    struct virtio virtio; // must be first

    // The chain that is being sent:
    bool             sending;
    struct net_frame frame;
    struct chain     out;

    // The letter that is being received, and what of the driver's buffers it fills; those that are
    // full are given back together with the last.
    struct letter *letter;
    u32            done; // bytes of it
    hpa_t          buffers_at[2];
    u32            n_used;
    struct used    used[VIRTQ_SIZE_USUAL];
    struct chain   in;

    u64  resume;     // when to go on, in ticks
    u32  work;       // of this turn,
    u64  worked;     // the last of it
    bool sends_next; // before it receives, in this turn
};

static struct vnet *vnet_of(struct vdev *d)
{
    return CONTAINER_OF(d, struct vnet, virtio.dev);
}

static struct net_port *port_of(const struct vnet *n)
{
    return n->virtio.dev.vm->port;
}

// Enough was done for this time, or the next step would be too much: it goes on after the guest has
// been let in.
static bool is_turn_over(struct vnet *n, u32 next)
{
    if (n->work < WORK_TURN && n->work + next <= WORK_MAX)
        return false;
    n->resume = min_u64(n->resume, clock_now() + guest_pause());
    return true;
}

// --- sending -------------------------------------------------------------------------------------

static const struct net_hdr no_offload;

// Takes the next chain; false: there is none.
static bool frame_take(struct vnet *n)
{
    struct chain *c = &n->out;
    struct header h = { 0 };

    if (!virtio_take(&n->virtio, TX, c))
        return false;
    n->work += CHAIN_WORK + (u32)PIECE_WORK * c->end;
    (void)chain_read(c, &h, HEADER_SIZE); // what has no header has no frame either
    n->frame   = (struct net_frame){ .at  = { &c->segs[c->out], (u32)(c->in_begin - c->out), 0 },
                                     .len = (u32)min_u64(c->out_bytes, ~0u),
                                     .hdr = n->virtio.features & F_CSUM ? h.net : no_offload };
    n->sending = true;
    return true;
}

// Sends as much as it may; true: there is no more.
static bool frames_send(struct vnet *n)
{
    u64 when = 0;

    while (!is_turn_over(n, 0) && (n->sending || frame_take(n))) {
        enum port_answer answer = port_send(port_of(n), &n->frame, &when, &n->work);

        if (answer != PORT_DONE) {
            n->resume =
                min_u64(n->resume, answer == PORT_LATER ? when : clock_now() + guest_pause());
            return false;
        }
        n->sending = false;
        virtq_push(&n->virtio.queues[TX], n->out.head, 0);
    }
    return !is_turn_over(n, 0);
}

// While chains wait for us anyway the driver need not notify.
static void transmit(struct vnet *n)
{
    struct virtq *q = &n->virtio.queues[TX];

    if (!virtio_queue_usable(&n->virtio, TX))
        return;
    virtq_notify_set(q, false);
    if (!frames_send(n) || q->broken)
        return;
    virtq_notify_set(q, true);
    if (!frames_send(n))
        virtq_notify_set(q, false);
}

// --- receiving -----------------------------------------------------------------------------------

static bool merges(const struct vnet *n)
{
    return n->virtio.features & F_MRG_RXBUF;
}

static void letter_finish(struct vnet *n)
{
    mailbox_free(port_mailbox(port_of(n)), n->letter);
    n->letter = NULL;
}

static void buffers_give_back(struct vnet *n)
{
    virtq_push_all(&n->virtio.queues[RX], n->used, n->n_used);
    n->n_used = 0;
}

// It does not fit: the buffers go back empty, which a driver takes for an error.
static void letter_drop(struct vnet *n)
{
    port_drop(port_of(n), DROP_NO_SPACE);
    for (u32 i = 0; i < n->n_used; i++)
        n->used[i].len = 0;
    buffers_give_back(n);
    letter_finish(n);
}

// Where a byte of the part that the device writes lies.
static hpa_t byte_at(const struct chain *c, u32 off)
{
    const struct seg *s = &c->segs[c->in];

    for (; off >= s->len; s++)
        off -= s->len;
    return hpa_at(s->at, off);
}

// The header in front of the first buffer, which has room for it.  How many buffers the frame has
// taken is known at its end only.
static void header_write(struct vnet *n)
{
    struct header h = { .net = n->letter->hdr, .buffers = 1 };

    for (u32 i = 0; i < 2; i++)
        n->buffers_at[i] = byte_at(&n->in, offsetof(struct header, buffers) + i);
    (void)chain_write(&n->in, &h, HEADER_SIZE);
}

static void letter_complete(struct vnet *n)
{
    gmem_store8(n->buffers_at[0], (u8)n->n_used);
    gmem_store8(n->buffers_at[1], (u8)(n->n_used >> 8));
    buffers_give_back(n);
    port_received(port_of(n), n->letter->len);
    letter_finish(n);
}

// Fills the buffer that was just taken.
static void buffer_fill(struct vnet *n)
{
    struct chain   *c     = &n->in;
    bool            first = !n->n_used;
    u32             need  = n->letter->len + HEADER_SIZE;
    struct used    *u     = &n->used[n->n_used++];
    struct seg_walk to;

    *u = (struct used){ c->head, 0 };
    if (first && c->in_bytes < (merges(n) ? HEADER_SIZE : need)) {
        letter_drop(n);
        return;
    }
    if (first)
        header_write(n);
    to     = (struct seg_walk){ &c->segs[c->in], (u32)(c->end - c->in), 0 };
    u->len = (u32)seg_write(&to, letter_frame(n->letter) + n->done, n->letter->len - n->done);
    n->done += u->len;
    u->len += first ? HEADER_SIZE : 0;
    if (n->done == n->letter->len)
        letter_complete(n);
    else if (n->n_used == n->virtio.queues[RX].size)
        letter_drop(n);
}

// Hands letters over as long as it may; true: there are none, or no buffers for them.
static bool letters_take(struct vnet *n)
{
    for (;;) {
        if (!n->letter && !(n->letter = mailbox_take(port_mailbox(port_of(n)))))
            return true;
        if (is_turn_over(n, n->letter->len))
            return false;
        n->done = n->n_used ? n->done : 0;
        if (!virtio_take(&n->virtio, RX, &n->in))
            return true;
        n->work +=
            CHAIN_WORK + (u32)PIECE_WORK * n->in.end + (u32)min_u64(n->in.in_bytes, n->letter->len);
        buffer_fill(n);
    }
}

// The driver need notify only while a letter waits for a buffer.
static void receive(struct vnet *n)
{
    struct virtq *q = &n->virtio.queues[RX];

    if (!virtio_queue_usable(&n->virtio, RX))
        return;
    mailbox_look(port_mailbox(port_of(n)));
    if (!letters_take(n) || !n->letter || q->broken)
        return;
    virtq_notify_set(q, true);
    if (!letters_take(n) || !n->letter)
        virtq_notify_set(q, false);
}

// --- the device ----------------------------------------------------------------------------------

static void queue_tell(struct vnet *n, u32 queue)
{
    struct virtq *q = &n->virtio.queues[queue];

    if (q->next_used != q->told_used)
        virtio_queue_told(&n->virtio, queue);
}

// What the driver takes back is forgotten.
static void stopping_forget(struct vnet *n)
{
    if (n->virtio.queues[TX].stopping) {
        n->sending = false;
        port_send_forget(port_of(n));
    }
    if (n->virtio.queues[RX].stopping)
        n->n_used = 0;
}

static void vnet_tick(struct vdev *d)
{
    struct vnet *n = vnet_of(d);
    u32          before;

    if (clock_now() - n->worked >= guest_pause()) {
        n->work       = 0;
        n->sends_next = !n->sends_next; // whoever comes first leaves to the other what is left
    }
    before    = n->work;
    n->resume = ~0ul;
    stopping_forget(n);
    if (n->sends_next)
        transmit(n);
    receive(n);
    if (!n->sends_next)
        transmit(n);
    queue_tell(n, RX);
    queue_tell(n, TX);
    if (n->work != before)
        n->worked = clock_now();
    if (n->resume != ~0ul)
        vdev_deadline_set(d, max_u64(n->resume, clock_now()));
}

static void vnet_notify(struct virtio *d, u32 queue)
{
    (void)queue;
    vnet_tick(&d->dev);
}

static void vnet_wake(void *d)
{
    vdev_kick(d);
}

// What its driver takes from other VMs as they offer it.
static u32 takes(const struct virtio *d)
{
    if (!(d->features & F_GUEST_CSUM))
        return 0;
    return TAKES_CSUM | (d->features & F_GUEST_TSO4 ? TAKES_TCPV4 : 0) |
           (d->features & F_GUEST_TSO6 ? TAKES_TCPV6 : 0);
}

static void vnet_start(struct virtio *d)
{
    if (virtio_queue_usable(d, RX)) // perhaps the driver has not made it
        virtq_notify_set(&d->queues[RX], false);
    port_open(port_of(vnet_of(&d->dev)), takes(d), vnet_wake, &d->dev);
}

static void vnet_device_reset(struct virtio *d)
{
    struct vnet *n = vnet_of(&d->dev);

    port_close(port_of(n));
    n->letter  = NULL;
    n->n_used  = 0;
    n->sending = false;
}

static u64 vnet_features(const struct virtio *d)
{
    (void)d;
    return F_CSUM | F_GUEST_CSUM | F_MTU | F_MAC | F_GUEST_TSO4 | F_GUEST_TSO6 | F_HOST_TSO4 |
           F_HOST_TSO6 | F_MRG_RXBUF | F_STATUS;
}

static u32 vnet_config(const struct virtio *d, u8 *to, u32 room)
{
    struct config c = { .status = LINK_UP, .max_pairs = 1, .mtu = MTU };

    memcpy(c.mac, port_mac(d->dev.vm->port), MAC_SIZE);
    memcpy(to, &c, min_u64(sizeof c, room));
    return sizeof c;
}

static const struct virtio_ops virtio_ops = {
    .device_id  = 1,
    .n_queues   = QUEUES,
    .queue_size = VIRTQ_SIZE_USUAL,
    .pieces_max = CHAIN_SEGS_USUAL,
    .features   = vnet_features,
    .notify     = vnet_notify,
    .start      = vnet_start,
    .reset      = vnet_device_reset,
    .config     = vnet_config,
};

static bool vnet_present(const struct vm *vm)
{
    return vm->port;
}

static void vnet_reset(struct vdev *d)
{
    virtio_of(d)->virtio_ops = &virtio_ops;
    virtio_reset(d);
}

const struct vdev_ops vnet_ops = {
    .name       = "virtio-net",
    .state_size = sizeof(struct vnet),
    .sizes      = 1 | 2 | 4 | 8,
    .base       = VIRTIO_BASE(1),
    .size       = VIRTIO_SLOT_SIZE,
    .irq        = VIRTIO_IRQ(1),
    .present    = vnet_present,
    .access     = virtio_access,
    .reset      = vnet_reset,
    .tick       = vnet_tick,
    .describe   = virtio_describe,
    .show       = virtio_show,
};

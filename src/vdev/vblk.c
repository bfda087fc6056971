// SPDX-License-Identifier: MIT
// The virtual disk: virtio-blk (Virtio 1.2, 5.2) over whatever block device the VM was given.
//
// In:     chains of the guest's; done() of the device beneath.
// Out:    requests to that device, whose data are pieces of the guest's RAM; status bytes, used
//         entries, an interrupt.
// Always: a chain is taken only when one of our requests is free, the VM's limits allow it, and the
//         turn's work is not used up; otherwise it waits in the ring, at the guest's cost.  A
//         request taken is given back exactly once, unless the driver resets the device, which
//         waits until all are done.  What may be read and written is checked by the device beneath.
//         What the guest has not been told of, or has not told us of, is looked at when its VM has
//         nothing to do, and after a while (patience.c) at the latest.
// Locks:  vm->lock, held by the caller; done() has none, on any hart, and only notes what was done
//         in a list of which the holder of the lock takes all at once.
#include "vdev/vblk.h"

#include "dev/clock.h"
#include "dev/machine.h"
#include "lib/panic.h"
#include "lib/words.h"
#include "vdev/devices.h"
#include "vdev/io_meter.h"
#include "vdev/patience.h"
#include "vm/gmem.h"

#define REQUESTS    64                                // in flight; a power of two
#define TURN_WORK   (CHAIN_SEGS_MAX + 2 * CHAIN_WORK) // more than one request is
#define CHAIN_WORK  8
#define ENOUGH      5 // requests: of so many none is waited for; of 1 MiB after 1 MiB are four
#define LOT         8 // completions
#define FEW         4 // pieces of data
#define RANGE_UNMAP 1

// All of them lie in a few pages, for a guest's TLB flush may flush what we touch, too.
struct request {
    struct blkreq   blk;
    struct vblk    *disk;
    enum blk_status result;
    hpa_t           status_at;
    u32             written;  // bytes of the chain that the device may have written
    u16             head;     // of the chain
    struct seg      few[FEW]; // the data's pieces, or
    struct chain   *whole;    // all that the driver offered
};

struct vblk {
    struct virtio   virtio;      // must be first
    struct io_meter meter;       // a reset does not fill it
    u32             n_submitted; // to the device beneath; free-running, as the next
    u32             n_done;      // that it has done; atomic
    struct blkreq  *done;        // of those, what was not given back, the last first; atomic
    bool            must_look;   // something was submitted that has perhaps not begun
    bool            is_patient;  // the device beneath was told that we look by ourselves
    bool            is_silent;   // the driver does not notify: tick() looks at the queue
    u32             n_told;      // that the driver was told of at once, a moment ago
    u32             n_taken;     // chains, free-running
    struct patience patience;    // how long something is held back
    struct chain   *chain;       // the one that is being taken
    u32             n_free;
    struct request *free[REQUESTS];
    struct request  requests[REQUESTS];
    struct chain    chains[REQUESTS + 1];
};

static struct vblk *vblk_of(const struct vdev *d)
{
    return CONTAINER_OF(d, struct vblk, virtio.dev);
}

static const struct blkdev *disk_of(const struct virtio *d)
{
    return d->dev.vm->disk;
}

// Giving back

static void give_back(struct vblk *b, struct request *r, u8 status)
{
    struct virtq *q = &b->virtio.queues[0];

    gmem_store8(r->status_at, status);
    if (LIKELY(!q->broken))
        virtq_push(q, r->head, r->written);
    b->free[b->n_free++] = r;
}

// From an interrupt or from anybody's look, without our lock.
static void request_done(struct blkreq *blk, enum blk_status status)
{
    struct request *r = CONTAINER_OF(blk, struct request, blk);
    struct vblk    *b = r->disk;

    r->result = status;
    blk->next = __atomic_load_n(&b->done, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&b->done, &blk->next, blk, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        ;
    __atomic_fetch_add(&b->n_done, 1, __ATOMIC_RELEASE);
    vdev_kick(&b->virtio.dev);
}

static void submit(struct vblk *b, struct request *r)
{
    u64             sector = r->blk.sector; // those below change theirs
    enum blk_status s;

    b->must_look = true;
    __atomic_store_n(&b->n_submitted, b->n_submitted + 1, __ATOMIC_RELAXED);
    s = blk_submit(b->virtio.dev.vm->disk, &r->blk);
    if (r->blk.n_sectors) // it is no FLUSH
        trace_sector(b->virtio.dev.vm, sector, disk_of(&b->virtio)->first, s == BLK_OK);
    if (LIKELY(s == BLK_OK))
        return;
    __atomic_store_n(&b->n_submitted, b->n_submitted - 1, __ATOMIC_RELAXED);
    give_back(b, r, vblk_status(s));
}

// A driver that does not know of FLUSH relies on what was written being there (5.2.6.2).
static bool must_flush(const struct vblk *b, const struct request *r)
{
    return (r->blk.op == BLK_WRITE || r->blk.op == BLK_WRITE_ZEROES) && r->result == BLK_OK &&
           disk_of(&b->virtio)->has_flush && !(b->virtio.features & VIRTIO_BLK_F_FLUSH);
}

static void flush_submit(struct vblk *b, struct request *r)
{
    r->blk.op     = BLK_FLUSH;
    r->blk.sector = r->blk.n_sectors = r->blk.n_segs = 0;
    r->blk.table                                     = NULL;
    submit(b, r);
}

static void finish(struct vblk *b, struct request *r)
{
    if (UNLIKELY(must_flush(b, r)))
        flush_submit(b, r);
    else
        give_back(b, r, vblk_status(r->result));
}

// In the order in which they were done.
static void finish_all(struct vblk *b)
{
    struct blkreq *r = __atomic_exchange_n(&b->done, NULL, __ATOMIC_ACQUIRE), *first = NULL, *next;

    for (; r; r = next) {
        next    = r->next;
        r->next = first;
        first   = r;
    }
    for (r = first; r; r = next) {
        next = r->next;
        finish(b, CONTAINER_OF(r, struct request, blk));
    }
}

// Has what was submitted begun, and finds what is over.
static void look(struct vblk *b, bool patient)
{
    b->is_patient = patient;
    vdev_kicks_hold(&b->virtio.dev);
    b->must_look = blk_look(b->virtio.dev.vm->disk, patient);
    vdev_kicks_release(&b->virtio.dev);
    finish_all(b);
}

// Taking

// The request has the pieces for as long as it lasts.  A few are copied, so that the chain that is
// being taken lies at the same place most of the time; otherwise it is the request's from here on.
static void segs_keep(struct vblk *b, struct request *r, struct seg *segs, u32 n)
{
    struct chain *c = b->chain;

    r->blk.n_segs = n;
    r->blk.segs   = r->few;
    r->blk.table  = NULL;
    if (LIKELY(n == 1))
        r->few[0] = *segs;
    else if (n <= FEW)
        words_copy(r->few, segs, n * sizeof *segs);
    else {
        b->chain    = r->whole;
        r->whole    = c;
        r->blk.segs = segs;
        if (segs == &c->segs[1] && segs[n - 1].link & VRING_NEXT)
            r->blk.table = c->segs;
    }
}

static void data_start(struct vblk *b, struct request *r, enum blk_op op, u64 sector)
{
    struct chain        *c     = b->chain;
    const struct blkdev *disk  = disk_of(&b->virtio);
    bool                 in    = op == BLK_READ;
    u64                  bytes = in ? c->in_bytes : c->out_bytes;
    struct seg          *segs  = &c->segs[in ? c->in : c->out];
    u32                  n     = in ? (u32)(c->end - c->in) : (u32)(c->in_begin - c->out);

    r->blk.op        = op;
    r->blk.sector    = sector;
    r->blk.n_sectors = bytes / SECTOR_SIZE;
    if (bytes % SECTOR_SIZE || n > disk->segs_max || r->blk.n_sectors > disk->sectors_max)
        give_back(b, r, VIRTIO_BLK_IOERR);
    else if (!bytes)
        give_back(b, r, sector > disk->n_sectors ? VIRTIO_BLK_IOERR : VIRTIO_BLK_OK);
    else {
        segs_keep(b, r, segs, n);
        submit(b, r);
    }
}

static void range_start(struct vblk *b, struct request *r, enum blk_op op)
{
    struct virtio_blk_range e     = { 0 };
    const struct blkdev    *disk  = disk_of(&b->virtio);
    u64                     most  = op == BLK_DISCARD ? disk->discard_max : disk->zeroes_max;
    bool                    whole = b->chain->out_bytes == sizeof e;

    (void)chain_read(b->chain, &e, sizeof e);
    r->blk.op        = op;
    r->blk.unmap     = e.flags & RANGE_UNMAP;
    r->blk.sector    = e.sector;
    r->blk.n_sectors = e.n_sectors;
    r->blk.n_segs    = 0;
    r->blk.table     = NULL;
    if (!whole || !most || e.flags & ~(u32)(op == BLK_DISCARD ? 0 : RANGE_UNMAP))
        give_back(b, r, VIRTIO_BLK_UNSUPP);
    else if (e.n_sectors > most)
        give_back(b, r, VIRTIO_BLK_IOERR);
    else {
        if (op == BLK_WRITE_ZEROES)
            io_meter_charge(&b->meter, 0, e.n_sectors * (u64)SECTOR_SIZE);
        submit(b, r);
    }
}

static void flush_start(struct vblk *b, struct request *r)
{
    if (disk_of(&b->virtio)->has_flush)
        flush_submit(b, r);
    else
        give_back(b, r, VIRTIO_BLK_OK);
}

static void id_start(struct vblk *b, struct request *r)
{
    (void)chain_write(b->chain, disk_of(&b->virtio)->id, BLK_ID_SIZE);
    give_back(b, r, VIRTIO_BLK_OK);
}

// False: there is no place for header or status, which no driver may do.
static bool request_start(struct vblk *b, struct request *r)
{
    struct chain            *c = b->chain;
    struct virtio_blk_header h;

    if (chain_read(c, &h, sizeof h) != sizeof h || !c->in_bytes)
        return false;
    r->head      = c->head;
    r->blk.more  = true;
    r->written   = (u32)min_u64(c->in_bytes, ~0u);
    r->status_at = chain_last_byte(c);
    switch (h.type) {
    case VIRTIO_BLK_IN:           data_start(b, r, BLK_READ, h.sector); break;
    case VIRTIO_BLK_OUT:          data_start(b, r, BLK_WRITE, h.sector); break;
    case VIRTIO_BLK_FLUSH:        flush_start(b, r); break;
    case VIRTIO_BLK_GET_ID:       id_start(b, r); break;
    case VIRTIO_BLK_DISCARD:      range_start(b, r, BLK_DISCARD); break;
    case VIRTIO_BLK_WRITE_ZEROES: range_start(b, r, BLK_WRITE_ZEROES); break;
    default:                      give_back(b, r, VIRTIO_BLK_UNSUPP); break;
    }
    return true;
}

// The queue

static struct request *free_request(struct vblk *b)
{
    return b->free[b->n_free - 1];
}

static bool chain_take(struct vblk *b, u32 *work)
{
    struct request *r = free_request(b);

    if (!virtio_take(&b->virtio, 0, b->chain))
        return false;
    *work += CHAIN_WORK + b->chain->end;
    if (UNLIKELY(io_meter_limits(&b->meter)))
        io_meter_charge(&b->meter, 1, b->chain->in_bytes + b->chain->out_bytes);
    b->n_free--;
    b->n_taken++;
    if (LIKELY(request_start(b, r)))
        return true;
    b->n_free++;
    virtio_break(&b->virtio);
    return false;
}

// Takes chains as long as it may; true: more may be taken, but there are none.
static bool chains_take(struct vblk *b, u32 *work)
{
    u64 until = 0; // at once, after others had their turn

    for (;;) {
        if (!b->n_free)
            return false; // tick() goes on when one is done
        if (UNLIKELY(io_meter_limits(&b->meter)) && (until = io_meter_closed_until(&b->meter)))
            break;
        if (UNLIKELY(*work >= TURN_WORK))
            break;
        if (!chain_take(b, work))
            return true;
    }
    vdev_deadline_set(&b->virtio.dev, until);
    return false;
}

static u32 under_way(const struct vblk *b)
{
    return b->n_submitted - __atomic_load_n(&b->n_done, __ATOMIC_RELAXED);
}

static u32 untold(const struct vblk *b)
{
    const struct virtq *q = &b->virtio.queues[0];

    return (u16)(q->next_used - q->told_used);
}

// The driver has so many under way, or to offer anew, that none of them is waited for.
static bool is_busy(const struct vblk *b)
{
    return under_way(b) + untold(b) + b->n_told >= ENOUGH;
}

// While chains wait for us anyway the driver need not notify; nor while it is busy, for the queue
// is looked at when something is done, and after a while.  Otherwise it is asked to, and then the
// queue is looked at once more: what was offered meanwhile may not have been told.
static void queue_serve(struct vblk *b)
{
    struct virtq *q     = &b->virtio.queues[0];
    u32           work  = 0;
    u32           asked = ~0u; // where the driver was when it was asked

    b->is_silent = false;
    while (virtio_queue_usable(&b->virtio, 0) && !b->is_silent) {
        b->is_silent = !chains_take(b, &work) || is_busy(b);
        if (q->next_avail == asked && !b->is_silent)
            return;
        asked = q->next_avail;
        virtq_notify_set(q, !b->is_silent);
    }
}

// An interrupt is six accesses of the guest's to its devices.  So it is told of a lot at once, or
// when it waits, or after a while.
static void tell(struct vblk *b, bool due)
{
    u32 n = untold(b);

    if (!n || (n < LOT && !due))
        return;
    b->n_told = n;
    virtio_queue_told(&b->virtio, 0);
}

// What is held back is looked at when the VM has nothing to do, or at a certain time.  A VM that
// waits for its disk alone is woken by that; but it may be woken by something else, and work.
static void hold(struct vblk *b, bool idle, u64 now)
{
    bool holds = b->must_look || b->is_silent || (b->is_patient && under_way(b)) || untold(b);
    u64  until = b->must_look ? 0 : now + ticks_of_us(PATIENCE_MAX_US);

    vdev_awaited_set(&b->virtio.dev, under_way(b) && !is_busy(b)); // of many a lot is told at once
    vdev_patient_set(&b->virtio.dev, holds);
    if (!holds || (idle && !b->n_told))
        patience_end(&b->patience, now);
    else {
        patience_begin(&b->patience, now);
        until = min_u64(until, b->patience.until);
    }
    if (holds && until < vdev_deadline(&b->virtio.dev))
        vdev_deadline_set(&b->virtio.dev, until);
}

// Will the queue be looked at before long, whatever happens?  With the next offer of a driver that
// has other work; but one that polls makes that when it sees the last one done.
static bool is_patient(const struct vblk *b, bool idle)
{
    bool goes_on = is_busy(b) || b->patience.each;

    return b->virtio.dev.vm->bus.lingers ||
           (!idle && goes_on && !virtq_is_polled(&b->virtio.queues[0]));
}

static void attend(struct vblk *b, bool notified)
{
    u64  now  = clock_now();
    bool idle = vm_is_idle(b->virtio.dev.vm), due = idle || now >= b->patience.until;
    u32  before = b->n_taken;

    finish_all(b);
    if (due) {
        patience_end(&b->patience, now);
        b->n_told = 0;
    }
    if (due && under_way(b))
        look(b, is_patient(b, idle));
    if (notified || b->is_silent)
        queue_serve(b);
    patience_offered(&b->patience, now, b->n_taken - before);
    if (b->must_look || (under_way(b) && b->is_patient != is_patient(b, idle)))
        look(b, is_patient(b, idle));
    tell(b, due);
    hold(b, idle, now);
}

static void vblk_notify(struct virtio *d, u32 queue)
{
    (void)queue;
    attend(vblk_of(&d->dev), true);
}

static void vblk_tick(struct vdev *d)
{
    attend(vblk_of(d), false);
}

static bool is_all_done(const struct vblk *b)
{
    return __atomic_load_n(&b->n_done, __ATOMIC_ACQUIRE) ==
           __atomic_load_n(&b->n_submitted, __ATOMIC_RELAXED);
}

// Who asks waits for it.
static bool vblk_quiet(const struct vdev *d)
{
    if (!is_all_done(vblk_of((struct vdev *)d)))
        (void)blk_look(d->vm->disk, false);
    return is_all_done(vblk_of((struct vdev *)d));
}

// What was done and not yet given back is forgotten with the queue.
static void vblk_device_reset(struct virtio *d)
{
    struct vblk *b = vblk_of(&d->dev);

    ASSERT(vblk_quiet(&d->dev));
    b->done      = NULL;
    b->must_look = b->is_patient = b->is_silent = false;
    b->n_told                                   = 0;
    patience_reset(&b->patience);
    b->n_free = REQUESTS;
    b->chain  = &b->chains[0];
    for (u32 i = 0; i < REQUESTS; i++) {
        b->free[i]              = &b->requests[REQUESTS - 1 - i]; // the first is used most
        b->requests[i].disk     = b;
        b->requests[i].whole    = &b->chains[1 + i];
        b->requests[i].blk.done = request_done;
    }
}

static const struct virtio_ops virtio_ops = {
    .device_id  = VIRTIO_ID_BLOCK,
    .n_queues   = 1,
    .queue_size = VIRTQ_SIZE_MAX,
    .pieces_max = CHAIN_SEGS_MAX,
    .features   = vblk_features,
    .notify     = vblk_notify,
    .reset      = vblk_device_reset,
    .config     = vblk_config,
};

static void vblk_reset(struct vdev *d)
{
    io_meter_set(&vblk_of(d)->meter, &d->vm->disk_limits);
    virtio_of(d)->virtio_ops = &virtio_ops;
    virtio_reset(d);
}

const struct vdev_ops vblk_ops = {
    .name       = "virtio-block",
    .state_size = sizeof(struct vblk),
    .sizes      = 1 | 2 | 4 | 8,
    .base       = VIRTIO_BASE(0),
    .size       = VIRTIO_SLOT_SIZE,
    .irq        = VIRTIO_IRQ(0),
    .present    = vblk_present,
    .access     = virtio_access,
    .reset      = vblk_reset,
    .tick       = vblk_tick,
    .quiet      = vblk_quiet,
    .is_over    = vblk_is_over,
    .describe   = virtio_describe,
    .show       = virtio_show,
};

// SPDX-License-Identifier: MIT
// A disk's queue: the requests of several clients on the way to one device.
//
// In:     requests of each client's block device; interrupts of the disk's driver, and looks.
// Out:    the same requests at the physical place, in an order that is fair; their completion.
// Always: a request is let in only if it lies wholly in the client's partition and its segments
//         hold exactly what it says; then its sector is the disk's.
//         Fairness is start-time fair queueing (Goyal, Vin, Cheng: SIGCOMM 1996): who goes next is
//         he whose next request would begin first, if each had a disk of his own, as slow as his
//         weight is small.  A request costs its sectors and a fixed sum.
//         A large request goes in portions, one after the other: nobody waits for all of it.
//         A flush goes to the device when the client's earlier requests have left our queue and
//         its writes are done, so that it means all of them.
// Locks:  one for each disk, a leaf; done() is called without it.
#include "dev/disk_queue.h"

#include "dev/irq.h"
#include "lib/bits.h"

#define COST_FIXED         64      // sectors that a request costs beside its own
#define COST_MOST          2048    // of a DISCARD, which writes nothing
#define LEAD_MOST          BIT(40) // of a finish, in virtual time: above what any request costs
#define SHARED_INTERRUPTS  64      // so long the disk counts as shared
#define LAZY_FROM          8       // requests under way, from which on interrupts are gathered
#define FLIGHT_SECTORS_MAX (8 * MIB / SECTOR_SIZE) // that the device has at a time
#define CLIENTS_AT_ONCE    4    // that are told in one stay: each may be a VM to wake (G4)
#define PIECES_AT_ONCE     1024 // that are given to it in one stay
#define PORTION_SECTORS    (4 * MIB / SECTOR_SIZE) // of a larger request go at a time

static bool is_ahead(u64 a, u64 b) // of virtual times, which may wrap
{
    return (s64)(a - b) < 0;
}

// That are read from memory or written there.
static u64 data_sectors(const struct blkreq *r)
{
    return r->op == BLK_READ || r->op == BLK_WRITE ? r->n_sectors : 0;
}

// That keep the device busy: zeros take their time as well.
static u64 disk_sectors(const struct blkreq *r)
{
    return r->op == BLK_DISCARD ? min_u64(r->n_sectors, COST_MOST) : r->n_sectors;
}

static u64 cost_of(const struct blkreq *r)
{
    return disk_sectors(r) + COST_FIXED;
}

// A flush waits for the client's writes and for its last flush, so that nobody has all of the
// device's places with flushes; and a large request's next portion for the last one.
static bool is_ready(const struct client *c)
{
    return c->head && !c->portion_flies && !(c->head->op == BLK_FLUSH && c->n_writes);
}

// The pieces of so many bytes from `at` on; how many.
static u32 segs_cut(struct seg_walk at, size_t bytes, struct seg *to)
{
    u32 n = 0;
    u8 *first;

    for (size_t len; (len = seg_run(&at, bytes, &first)); bytes -= len)
        to[n++] = (struct seg){ .at = hpa((u64)first), .len = (u32)len };
    return n;
}

// What of the client's first request goes to the device next: all of it, or a portion.
static struct blkreq *next_of(struct client *c)
{
    struct blkreq  *r = c->head, *p = &c->portion;
    struct seg_walk at;

    if (LIKELY(data_sectors(r) <= PORTION_SECTORS))
        return r;
    at = (struct seg_walk){ r->segs, r->n_segs, 0 };
    (void)seg_skip(&at, c->portion_done * SECTOR_SIZE);
    *p           = *r;
    p->sector    = r->sector + c->portion_done;
    p->n_sectors = min_u64(PORTION_SECTORS, r->n_sectors - c->portion_done);
    p->segs      = c->portion_segs;
    p->table     = NULL;
    p->n_segs    = segs_cut(at, p->n_sectors * SECTOR_SIZE, c->portion_segs);
    return p;
}

static void head_leave(struct client *c)
{
    c->head         = c->head->next;
    c->portion_done = 0;
    c->n_queued--;
}

// A portion is over.  NULL: there are more; else what is over with it.
static struct blkreq *portion_over(struct client *c)
{
    struct blkreq *whole = c->head;

    c->portion_flies = false;
    c->portion_done += c->portion.n_sectors;
    if (c->portion.status == BLK_OK && c->portion_done < whole->n_sectors)
        return NULL;
    whole->status = c->portion.status;
    head_leave(c);
    return whole;
}

// Into the line of those whose turn can come, sorted by when they would begin.  Who has just had
// his turn most often goes to its end, so it is searched from there.
static void line_enter(struct disk *d, struct client *c)
{
    struct client *before = d->line_last;

    if (c->in_line || !is_ready(c))
        return;
    c->start = c->finish - d->now > LEAD_MOST ? d->now : c->finish;
    while (before && is_ahead(c->start, before->start))
        before = before->before;
    c->in_line = true;
    c->before  = before;
    c->after   = before ? before->after : d->line_first;

    *(before ? &before->after : &d->line_first)     = c;
    *(c->after ? &c->after->before : &d->line_last) = c;
}

// The first one's first request, or a portion of it, has gone to the device.
static void turn_taken(struct disk *d, const struct blkreq *r)
{
    struct client *c = d->line_first;

    d->line_first                                   = c->after;
    *(c->after ? &c->after->before : &d->line_last) = NULL;

    c->in_line       = false;
    c->portion_flies = r == &c->portion;
    if (!c->portion_flies)
        head_leave(c);
    d->now    = c->start;
    c->finish = c->start + cost_of(r) * c->scale;
    c->n_flying++;
    c->n_writes += r->op != BLK_READ;
    d->n_flying++;
    d->sectors_flying += disk_sectors(r);
    line_enter(d, c);
}

// To the device, what there is room for; counts the pieces.  Each turn needs one of its places.
// What is left over is given when one of those is over.  It begins with the next kick.
static void dispatch(struct disk *d, u32 *pieces)
{
    while (d->line_first && d->n_flying < d->chip->depth && *pieces < PIECES_AT_ONCE) {
        struct blkreq *r = next_of(d->line_first);

        if (d->n_flying && d->sectors_flying + disk_sectors(r) > FLIGHT_SECTORS_MAX)
            break;
        if (!d->chip->ops->put(d->chip, r))
            break;
        *pieces += r->n_segs;
        turn_taken(d, r);
    }
}

// What the segments hold; ~0 if that is more than any request.
static u64 segs_bytes(const struct blkreq *r)
{
    u64 sum = 0;

    for (u32 i = 0; i < r->n_segs; i++)
        sum += r->segs[i].len;
    return sum;
}

static u64 sectors_most(const struct blkdev *s, enum blk_op op)
{
    if (op == BLK_DISCARD)
        return s->discard_max;
    return op == BLK_WRITE_ZEROES ? s->zeroes_max : s->sectors_max;
}

// Everything that can be wrong with a request.  What has data has exactly its sectors' bytes: some
// devices go by the segments, not by what the request says.  Who made a table has added them up.
static enum blk_status admit(const struct blkdev *s, const struct blkreq *r)
{
    u64 most = sectors_most(s, r->op);

    if (r->op == BLK_FLUSH)
        return s->has_flush ? BLK_OK : BLK_UNSUPPORTED;
    if (s->read_only && r->op != BLK_READ)
        return BLK_READ_ONLY;
    if (!most)
        return BLK_UNSUPPORTED;
    if (!part_holds(s->n_sectors, r->sector, r->n_sectors) || r->n_sectors > most ||
        ((r->sector | r->n_sectors) & (s->block_size / SECTOR_SIZE - 1)))
        return BLK_BAD_RANGE;
    if (data_sectors(r) &&
        (r->n_segs > s->segs_max || (!r->table && segs_bytes(r) != r->n_sectors * SECTOR_SIZE)))
        return BLK_BAD_RANGE;
    return BLK_OK;
}

static void enqueue(struct client *c, struct blkreq *r)
{
    r->next  = NULL;
    r->below = c;
    r->sector += c->dev.first;
    if (c->head)
        c->tail->next = r;
    else
        c->head = r;
    c->tail = r;
    c->n_queued++;
    line_enter(c->disk, c);
}

// What the device is done with; which request of the client's is over with it, if one is.
static struct blkreq *account(struct disk *d, struct blkreq *r)
{
    struct client *c    = r->below;
    struct blkreq *over = r;

    c->n_flying--;
    c->n_writes -= r->op != BLK_READ;
    c->n_bytes += data_sectors(r) * SECTOR_SIZE;
    c->n_errors += r->status != BLK_OK;
    d->n_flying--;
    d->sectors_flying -= disk_sectors(r);
    if (r == &c->portion)
        over = portion_over(c);
    c->n_requests += over != NULL;
    line_enter(d, c);
    return over;
}

// What waits, but for a request of which the device still has a portion.
static void waiting_fail(struct client *c, struct blkreq ***tail)
{
    struct blkreq *stays = c->portion_flies ? c->head : NULL, *r = c->head, *next;

    for (r = stays ? stays->next : r; r; r = next) {
        next      = r->next;
        r->status = BLK_IO_ERROR;
        **tail    = r;
        *tail     = &r->next;
        c->n_queued--;
        c->n_errors++;
    }
    c->head = c->tail = stays;
    c->in_line        = false;
    if (stays)
        stays->next = NULL;
    else
        c->portion_done = 0;
}

// A disk that serves no more: what waits ends with an error.
static void fail_waiting(struct disk *d, struct blkreq ***tail)
{
    d->line_first = d->line_last = NULL;
    for (struct client *c = d->clients; c; c = c->next)
        waiting_fail(c, tail);
}

// An interrupt costs as much as a request.  One client with many requests under way has some over
// before it hears of the first, and who looks by himself needs none; but what waits for a place at
// the device, or for what is there, goes on with one, and where others use the disk too, nobody
// waits for that.
static u32 lazy_of(const struct disk *d)
{
    if (d->shared || !d->last || d->last->n_flying != d->n_flying)
        return 0;
    if (d->last->patient && !d->line_first && !d->last->head)
        return DISK_QUIET;
    return d->n_flying < LAZY_FROM ? 0 : d->n_flying / 4;
}

// What is over, as a list: no more than the device has, since nothing is put meanwhile.  When that
// is of several clients there may be more, for which the device does not interrupt again.
static struct blkreq *over_take(struct disk *d)
{
    struct blkreq *over = NULL, **tail = &over, *r;
    u64            told = 0;
    u32            n    = 0;

    d->chip->lazy = lazy_of(d);
    while (n < CLIENTS_AT_ONCE && (r = d->chip->ops->take(d->chip))) {
        u64 whose = BIT(((struct client *)r->below)->number);

        n += !(told & whose);
        told |= whose;
        r             = account(d, r);
        d->chip->lazy = lazy_of(d);
        if (!r)
            continue;
        *tail = r;
        tail  = &r->next;
    }
    d->more = n == CLIENTS_AT_ONCE;
    if (d->chip->dead)
        fail_waiting(d, &tail);
    *tail = NULL;
    return over;
}

static void over_tell(struct blkreq *over)
{
    for (struct blkreq *r; (r = over);) {
        over = r->next;
        r->done(r, r->status);
    }
}

// Looks at the disk on behalf of whoever has submitted last.  What waits goes to the device first,
// for what it has under way decides when it interrupts.
static struct blkreq *look(struct disk *d)
{
    struct blkreq *over;
    u32            pieces = 0;

    d->shared -= d->shared > 0;
    if (!d->chip->dead)
        dispatch(d, &pieces);
    over = over_take(d);
    if (!d->chip->dead) {
        dispatch(d, &pieces);
        d->chip->ops->kick(d->chip);
    }
    return over;
}

void disk_interrupt(struct disk *d)
{
    struct blkreq *over;

    lock_take(&d->lock);
    over = look(d);
    if (UNLIKELY(d->more))
        irq_again(d->chip->irq, 0);
    lock_drop(&d->lock);
    over_tell(over);
}

static bool client_look(struct blkdev *dev, bool patient)
{
    struct client *c = CONTAINER_OF(dev, struct client, dev);
    struct blkreq *over;
    bool           more;

    lock_take(&c->disk->lock);
    c->patient = patient;
    over       = look(c->disk);
    more       = c->disk->more;
    lock_drop(&c->disk->lock);
    over_tell(over);
    return more;
}

static bool client_is_over(const struct blkdev *dev)
{
    const struct disk_chip *chip = CONTAINER_OF(dev, const struct client, dev)->disk->chip;

    return chip->ops->is_over(chip);
}

// Another than the last one: from now on the device interrupts for each request.  What was over
// before it heard of that is found here.
static struct blkreq *newcomer(struct disk *d, struct client *c)
{
    bool was_lazy = d->chip->lazy;

    d->last   = c;
    d->shared = SHARED_INTERRUPTS;
    return was_lazy ? over_take(d) : NULL;
}

static enum blk_status client_submit(struct blkdev *dev, struct blkreq *r)
{
    struct client  *c      = CONTAINER_OF(dev, struct client, dev);
    struct disk    *d      = c->disk;
    enum blk_status status = admit(dev, r);
    struct blkreq  *over   = NULL;

    lock_take(&d->lock);
    if (UNLIKELY(d->last != c))
        over = newcomer(d, c);
    if (!status && d->chip->dead)
        status = BLK_IO_ERROR;
    if (status) {
        c->n_errors++;
    } else {
        enqueue(c, r);
        if (!r->more) { // who has more looks afterwards
            dispatch(d, &(u32){ 0 });
            d->chip->ops->kick(d->chip);
        }
    }
    lock_drop(&d->lock);
    over_tell(over);
    return status;
}

const struct blkdev_ops disk_client_ops = { client_submit, client_look, client_is_over };

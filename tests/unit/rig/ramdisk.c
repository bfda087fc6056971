// SPDX-License-Identifier: MIT
// A disk on the desk.
//
// In:     requests, of any sector and length; a test that says when they are done.
// Out:    bytes copied to and from the pieces that a request names; done().
// Always: it checks what it is asked as a partition does, and touches exactly the bytes that it was
//         given: what lies outside a guest's RAM ends the program.
// Locks:  none.
#include "rig/ramdisk.h"

#include "dev/virtio_spec.h"
#include "lib/bits.h"
#include "lib/panic.h"

#include <stdlib.h>
#include <string.h>

static struct ramdisk *ramdisk_of(struct blkdev *d)
{
    return CONTAINER_OF(d, struct ramdisk, dev);
}

static enum blk_status check(const struct ramdisk *d, const struct blkreq *r)
{
    if (d->refuse != BLK_OK)
        return d->refuse;
    if (r->op == BLK_FLUSH)
        return BLK_OK;
    if (d->dev.read_only && r->op != BLK_READ)
        return BLK_READ_ONLY;
    if (!range_contains(0, d->dev.n_sectors, r->sector, r->n_sectors))
        return BLK_BAD_RANGE;
    if ((r->sector | r->n_sectors) % (d->dev.block_size / SECTOR_SIZE))
        return BLK_BAD_RANGE;
    return BLK_OK;
}

static u64 bytes_of(const struct blkreq *r)
{
    u64 sum = 0;

    for (u32 i = 0; i < r->n_segs; i++)
        sum += r->segs[i].len;
    return sum;
}

// A driver adds the first entry and the last, and what lies between is right as it is.
static void table_judge(struct ramdisk *d, const struct blkreq *r)
{
    u32 flags = r->op == BLK_READ ? VRING_NEXT | VRING_WRITE : VRING_NEXT;

    ASSERT(r->segs == r->table + 1 && (u64)r->table % 16 == 0);
    for (u32 i = 0; i < r->n_segs; i++)
        ASSERT(r->segs[i].link == (flags | (i + 2) << 16));
    r->table[0] = r->table[1 + r->n_segs] = (struct seg){ .link = ~0u };
    d->n_tables++;
}

static enum blk_status submit(struct blkdev *blk, struct blkreq *r)
{
    struct ramdisk *d = ramdisk_of(blk);
    enum blk_status s = check(d, r);

    if (s != BLK_OK) {
        d->n_refused++;
        return s;
    }
    ASSERT(d->n_waiting < RAMDISK_WAITING_MAX);
    ASSERT(r->n_segs <= d->dev.segs_max);
    if (r->op == BLK_READ || r->op == BLK_WRITE)
        ASSERT(bytes_of(r) == r->n_sectors * SECTOR_SIZE && r->n_sectors <= d->dev.sectors_max);
    else
        ASSERT(!r->n_segs && !r->table); // which may be another's by now
    if (r->table)
        table_judge(d, r);
    d->n_submitted++;
    d->waiting[d->n_waiting++] = r;
    return BLK_OK;
}

static void data_move(struct ramdisk *d, const struct blkreq *r)
{
    u8 *at = d->data + r->sector * SECTOR_SIZE;

    for (u32 i = 0; i < r->n_segs; at += r->segs[i++].len)
        if (r->op == BLK_READ)
            memcpy((void *)r->segs[i].at.a, at, r->segs[i].len);
        else
            memcpy(at, (const void *)r->segs[i].at.a, r->segs[i].len);
}

static void do_it(struct ramdisk *d, const struct blkreq *r)
{
    switch (r->op) {
    case BLK_READ:
    case BLK_WRITE: data_move(d, r); break;
    case BLK_FLUSH: d->n_flushed++; break;
    case BLK_DISCARD:
    case BLK_WRITE_ZEROES:
        memset(d->data + r->sector * SECTOR_SIZE, 0, r->n_sectors * SECTOR_SIZE);
        break;
    }
}

void ramdisk_finish(struct ramdisk *d, unsigned number, enum blk_status status)
{
    ASSERT(number < d->n_waiting);

    struct blkreq *r = d->waiting[number];

    memmove(d->waiting + number, d->waiting + number + 1,
            (d->n_waiting - number - 1) * sizeof *d->waiting);
    d->n_waiting--;
    d->n_done++;
    if (status == BLK_OK)
        do_it(d, r);
    r->done(r, status);
}

void ramdisk_finish_all(struct ramdisk *d)
{
    while (d->n_waiting)
        ramdisk_finish(d, 0, BLK_OK);
}

static bool look(struct blkdev *blk, bool patient)
{
    struct ramdisk *d = ramdisk_of(blk);

    d->n_looks++;
    d->patient = patient;
    for (; d->n_over; d->n_over--)
        ramdisk_finish(d, 0, BLK_OK);
    return d->has_more;
}

static bool is_over(const struct blkdev *blk)
{
    return ramdisk_of((struct blkdev *)blk)->n_over;
}

static const struct blkdev_ops ops = { submit, look, is_over };

struct ramdisk *ramdisk_make(u64 n_sectors)
{
    struct ramdisk *d = calloc(1, sizeof *d);

    ASSERT(d);
    d->dev = (struct blkdev){ .ops         = &ops,
                              .n_sectors   = n_sectors,
                              .block_size  = SECTOR_SIZE,
                              .segs_max    = 1024,
                              .sectors_max = 1ul << 30,
                              .discard_max = 1ul << 20,
                              .zeroes_max  = 1ul << 20,
                              .has_flush   = true,
                              .id          = "on the desk" };
    d->data = malloc(n_sectors * SECTOR_SIZE);
    ASSERT(d->data);
    for (u64 i = 0; i < n_sectors * SECTOR_SIZE; i++)
        d->data[i] = (u8)(i * 7 + (i >> 9));
    return d;
}

void ramdisk_free(struct ramdisk *d)
{
    free(d->data);
    free(d);
}

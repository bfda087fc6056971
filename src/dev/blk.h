// SPDX-License-Identifier: MIT
// Block devices: one interface for whatever one stands on, a disk, a partition of it, or a test's
// array.  Who submits does not know which, and who serves does not know for whom.
#pragma once

#include "lib/seg.h"

#define SECTOR_SIZE 512 // the unit of all sector numbers here, whatever the device's blocks are
#define BLK_ID_SIZE 20

enum blk_op { BLK_READ, BLK_WRITE, BLK_FLUSH, BLK_DISCARD, BLK_WRITE_ZEROES };

enum blk_status {
    BLK_OK,
    BLK_IO_ERROR,
    BLK_BAD_RANGE,  // not wholly on the device, or not whole blocks of it
    BLK_READ_ONLY,  // it cannot be written
    BLK_UNSUPPORTED // the device cannot do that
};

// One request.  It and its segments belong to whoever submits it; between submit() and done() only
// the layers below touch them.
struct blkreq {
    enum blk_op       op;
    bool              unmap;  // WRITE_ZEROES: the device may give the place up
    u64               sector; // relative to the device it is submitted to; lower layers change it
    u64               n_sectors;
    const struct seg *segs; // READ, WRITE: their lengths add up to n_sectors * SECTOR_SIZE
    u32               n_segs;
    // NULL, or they are the entries of this table for a device, from [1] on, each of which leads to
    // the next; [0] and [n_segs + 1] are for a driver's own use.
    struct seg *table;
    // A look() follows at once: it need not begin before.
    bool more;
    // Called once, later, never from within its own submit(): from an interrupt on the boot hart,
    // or on any hart from within a look() or another's submit().  No lock of the layers below is
    // held.
    void (*done)(struct blkreq *r, enum blk_status status);

    // The lower layers':
    struct blkreq  *next;
    void           *below;
    enum blk_status status;
};

struct blkdev;

struct blkdev_ops {
    // BLK_OK: it has been taken, and done() will come.  Anything else: it has not, and done() will
    // not come.  From any hart; the caller may hold a vm->lock.
    enum blk_status (*submit)(struct blkdev *d, struct blkreq *r);
    // What was submitted begins, if it has not, and done() comes for what is over.  Who is
    // `patient` will look again before long, whatever happens, so that nobody need interrupt for
    // his requests.  True: there may be more, more than one stay in the monitor tells of, and the
    // caller looks again after others had their turn.
    bool (*look)(struct blkdev *d, bool patient);
    // Has the device beneath finished something that a look() would find?  Without a lock, so a
    // moment later it may have.
    bool (*is_over)(const struct blkdev *d);
};

struct blkdev {
    const struct blkdev_ops *ops;

    // Fixed once the device is known:
    u64  n_sectors;
    u64  first;       // sector of the physical disk where it begins
    u32  block_size;  // bytes, a power of two from 512 on: requests are whole blocks
    u32  segs_max;    // of one request
    u64  sectors_max; // of one READ or WRITE
    u64  discard_max; // sectors of one DISCARD; 0: it cannot
    u64  zeroes_max;  // sectors of one WRITE_ZEROES; 0: it cannot
    bool read_only;
    bool has_flush;       // otherwise a completed WRITE is durable
    char id[BLK_ID_SIZE]; // need not end with a NUL
};

static inline enum blk_status blk_submit(struct blkdev *d, struct blkreq *r)
{
    return d->ops->submit(d, r);
}

static inline bool blk_look(struct blkdev *d, bool patient)
{
    return d->ops->look(d, patient);
}

static inline bool blk_is_over(const struct blkdev *d)
{
    return d->ops->is_over(d);
}

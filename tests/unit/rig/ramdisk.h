// SPDX-License-Identifier: MIT
// A disk on the desk: a block device over an array that does a request when the test says so.
#pragma once

#include "dev/blk.h"

#define RAMDISK_WAITING_MAX 256

struct ramdisk {
    struct blkdev   dev; // must be first
    u8             *data;
    struct blkreq  *waiting[RAMDISK_WAITING_MAX];
    unsigned        n_waiting;
    unsigned        n_submitted, n_done, n_flushed, n_refused, n_looks;
    unsigned        n_tables; // requests whose pieces were a device's table
    unsigned        n_over;  // so many are over, and found at the next look
    bool            patient; // at the last look
    bool            has_more; // what a look says
    enum blk_status refuse; // what submit() says, unless BLK_OK
};

// 512-byte blocks, each byte different from its neighbours; all that a device may be able to do.
struct ramdisk *ramdisk_make(u64 n_sectors);
void            ramdisk_free(struct ramdisk *d);
// Does the waiting request of that number, counted from the oldest, with that result.
void ramdisk_finish(struct ramdisk *d, unsigned number, enum blk_status status);
void ramdisk_finish_all(struct ramdisk *d);

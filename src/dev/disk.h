// SPDX-License-Identifier: MIT
// The machine's disks, their partitions, and who uses them.  Each opening of a partition is a block
// device of its own; the requests of all that stand on one disk are interleaved by weight.
#pragma once

#include "dev/blk.h"
#include "dev/driver.h"
#include "dev/part.h"

#define DISKS_MAX     8
#define DISK_SEGS_MAX 256 // of one request to a device
#define DISK_QUIET    ~0u // no interrupt, for nobody waits for one

// What a driver of a disk offers.  All with the disk's lock held.
struct disk_ops {
    // False: it has no room now.  What it has taken, the device begins with after kick().
    bool (*put)(void *chip, struct blkreq *r);
    void (*kick)(void *chip);
    // One that is over, with its status; NULL: none, and there will be an interrupt for the next.
    struct blkreq *(*take)(void *chip);
    // Would take() find one?  Without the lock.
    bool (*is_over)(const void *chip);
    // It is given up: it is reset, `dead` is set, and what it had is taken with an error.
    void (*end)(void *chip);
};

struct disk;

struct disk_chip {
    const struct disk_ops *ops;
    const char            *name; // its node in the device tree
    struct blkdev          shape;
    u32                    depth; // requests that it has at a time, at most
    u32                    irq;   // its interrupt
    struct disk           *disk;

    // Under the disk's lock:
    bool dead; // it serves no more
    u32  lazy; // requests that may be over before the one that interrupts; or DISK_QUIET
};

// A driver has found one, which it tells of interrupts from now on.  False: there are too many.
MUST_CHECK bool disk_add(struct disk_chip *c);
void            disk_interrupt(struct disk *d);

// Boot, once, after the drivers have started: reads the partition tables, by polling.
void disks_start(say_line *say);

// A device of its own for whom it is opened: the partition, as if it were a disk.  It is named by
// its label, "#2" (its number), or its unique id.  NULL and *d; or in one line what is wrong and
// what would help.  Boot only.
MUST_CHECK const char *disk_open(const char *partition, bool read_only, u32 weight,
                                 struct blkdev **d);

// Now and then, on the boot hart: what is over without an interrupt is found.
void disks_look(void);

// For people; numbers are copies.  False: there are no more.
struct disk_info {
    const char *name;
    u64         n_sectors;
    u32         block_size;
    bool        read_only, dead;
    const char *table;            // "GPT", "GPT (backup)", "MBR", "none"
    u32         depth, depth_max; // under way now, at most
    u64         requests, bytes, errors;
};
struct part_info {
    unsigned    disk;
    struct part part;
};
struct disk_user {
    const struct blkdev *d; // what disk_open() gave
    unsigned             disk;
    u32                  part; // number in its disk
    bool                 read_only;
    u32                  weight;
    u32                  depth; // waiting or under way
    u64                  requests, bytes, errors;
};
bool     disk_info(unsigned n, struct disk_info *i);
bool     disk_part(unsigned n, struct part_info *i); // of all disks, numbered through
bool     disk_user(unsigned n, struct disk_user *u);
unsigned disk_count(void);
unsigned disk_part_count(void);
unsigned disk_user_count(void);

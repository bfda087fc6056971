// SPDX-License-Identifier: MIT
// A disk and its clients, as disk.c lists and opens them and disk_queue.c lets them take turns.
#pragma once

#include "arch/lock.h"
#include "dev/disk.h"

#define DISK_SCALE (1u << 16) // virtual time of a sector at weight 1

// One opening of a partition.
struct client {
    struct blkdev  dev;
    struct disk   *disk;
    struct client *next; // of the same disk
    u32            weight;
    u32            scale;  // DISK_SCALE / weight
    unsigned       number; // of all openings

    const struct part *part;

    // Under the disk's lock:
    struct blkreq *head, *tail;    // wait for their turn
    u64            finish;         // virtual time at which what it was given ends
    u64            start;          // and at which what is first of those begins
    struct client *before, *after; // in line
    bool           in_line;
    u32            n_queued, n_flying;
    u32            n_writes; // of those flying, that are no reads
    bool           patient;  // it looks by itself
    u64            n_requests, n_bytes, n_errors;

    // Of a large request, which is the first of those that wait until all of it is done:
    bool          portion_flies; // a part of it is with the device,
    u64           portion_done;  // so many sectors were before that,
    struct blkreq portion;       // and this is it
    struct seg    portion_segs[DISK_SEGS_MAX];
};

struct disk {
    struct lock lock;

    // Fixed when clients come:
    struct disk_chip *chip;
    u8               *block; // room for one, which only this device writes
    struct parts     *parts;
    struct client    *clients;

    // Under the lock:
    struct client *line_first, *line_last; // whose turn can come, sorted by start
    u64            now;                    // virtual time
    u64            sectors_flying;
    u32            n_flying;
    struct client *last;   // who has submitted
    u32            shared; // interrupts since two took turns, counted down
    bool           more;   // is perhaps over
};

extern const struct blkdev_ops disk_client_ops;

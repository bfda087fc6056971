// SPDX-License-Identifier: MIT
// A piece of the machine's memory, as devices and drivers hand data on to each other without
// copying it.  Whoever makes one has checked it: it lies wholly in one guest's RAM, or in a buffer
// of the monitor's.
#pragma once

#include "lib/types.h"

// A list of them that is a table for a device says in `link` what else a descriptor does (Virtio
// 1.2, 2.7.5.3): in the lower half flags, in the upper one its successor.
struct seg {
    hpa_t at;
    u32   len; // bytes
    u32   link;
};

// A place in a list of pieces, from which they are read or written on as if they were one.
struct seg_walk {
    const struct seg *seg;
    u32               n;   // pieces from here on
    u32               off; // in the first
};

// How many bytes were copied, skipped or looked at: fewer than asked for where the pieces end.
size_t seg_read(struct seg_walk *w, void *to, size_t bytes);
size_t seg_write(struct seg_walk *w, const void *from, size_t bytes);
size_t seg_skip(struct seg_walk *w, size_t bytes);
// The next bytes that stand together, at most so many; 0: there are none.
size_t seg_run(struct seg_walk *w, size_t bytes, u8 **at);

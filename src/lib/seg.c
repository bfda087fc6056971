// SPDX-License-Identifier: MIT
// Pieces of memory, read and written as if they were one.
//
// In:     a list of checked pieces and a place in it; bytes.
// Out:    bytes copied, and the place moved on.
// Always: nothing outside the pieces is touched; a guest that changes what is in them changes only
//         what is copied.
// Locks:  none.
#include "lib/seg.h"

#include "lib/bits.h"
#include "lib/words.h"

size_t seg_run(struct seg_walk *w, size_t bytes, u8 **at)
{
    size_t n;

    while (w->n && w->off == w->seg->len) {
        w->seg++, w->n--;
        w->off = 0;
    }
    if (!w->n)
        return 0;
    *at = (u8 *)w->seg->at.a + w->off;
    n   = min_u64(bytes, w->seg->len - w->off);
    w->off += (u32)n;
    return n;
}

size_t seg_read(struct seg_walk *w, void *to, size_t bytes)
{
    size_t done = 0, n;
    u8    *at;

    for (; done < bytes && (n = seg_run(w, bytes - done, &at)); done += n)
        bytes_copy((u8 *)to + done, at, n);
    return done;
}

size_t seg_write(struct seg_walk *w, const void *from, size_t bytes)
{
    size_t done = 0, n;
    u8    *at;

    for (; done < bytes && (n = seg_run(w, bytes - done, &at)); done += n)
        bytes_copy(at, (const u8 *)from + done, n);
    return done;
}

size_t seg_skip(struct seg_walk *w, size_t bytes)
{
    size_t done = 0, n;
    u8    *at;

    for (; done < bytes && (n = seg_run(w, bytes - done, &at)); done += n)
        ;
    return done;
}

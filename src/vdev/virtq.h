// SPDX-License-Identifier: MIT
// A split virtqueue as the device sees it (Virtio 1.2, 2.7).  The guest owns the rings and may
// change them at any moment; what is taken from them here is read once, checked, and a copy.
#pragma once

#include "lib/seg.h"
#include "vm/gmem.h"

#define VIRTQ_SIZE_MAX   512 // a power of two
#define VIRTQ_SIZE_USUAL 256
#ifndef CHAIN_SEGS_MAX
#define CHAIN_SEGS_MAX 258 // of one chain, indirect ones included: a disk's 1 MiB in pages
#endif
#define CHAIN_SEGS_USUAL 128 // where a device's work for a piece is more

struct virtq {
    // As the driver has set it; it may be anything while the queue is not ready:
    u32   num; // QueueNum
    gpa_t desc, avail, used;
    bool  ready;

    // Checked when it became ready, all that is used of the above from then on:
    u32   size;                       // a power of two up to the device's maximum
    hpa_t desc_at, avail_at, used_at; // where they lie in the machine
    u32   pieces_max;                 // of a chain: no more than CHAIN_SEGS_MAX

    // Ours:
    u16  next_avail, next_used; // free-running
    u16  seen_avail;            // how far the driver had offered when it was last looked at
    u16  told_used;             // next_used when the guest was last interrupted
    bool event_index;           // VIRTIO_F_EVENT_IDX was negotiated
    bool broken;                // the driver's fault: nothing more is taken until a reset
    bool stopping;              // the driver takes it back: nothing more is taken
};

// What a driver has offered: pieces of its RAM, first those that the device reads, then those that
// it writes (2.7.4.2).  A device takes from the front of the first and of the second.
// All that was offered is a table for a device beneath: segs[i].link leads to segs[i + 1].
struct chain {
    u16        head;
    u16        out, in_begin, in, end; // segs[out .. in_begin) and segs[in .. end)
    u64        out_bytes, in_bytes;    // what is left in them
    struct seg segs[CHAIN_SEGS_MAX] __attribute__((aligned(16))); // as a table's are
};

enum virtq_answer {
    VIRTQ_EMPTY,
    VIRTQ_CHAIN,
    VIRTQ_BROKEN, // no chain that the rules allow: the device needs a reset (2.1.2)
};

// All with vm->lock held.

// The driver says that it may be used: true if it lies in RAM and has a size up to size_max.
MUST_CHECK bool virtq_begin(const struct vm *vm, struct virtq *q, u32 size_max, u32 pieces_max);
// Takes the next chain.
MUST_CHECK enum virtq_answer virtq_pop(const struct vm *vm, struct virtq *q, struct chain *c);
// Gives the chain whose head this is back, with so many bytes written into it.
void virtq_push(struct virtq *q, u16 head, u32 written);
// The same for several, which the driver sees all at once.
struct used {
    u16 head;
    u32 len; // written
};
void virtq_push_all(struct virtq *q, const struct used *used, u32 n);
// Does the driver want an interrupt for what was pushed since it was last asked?  (2.7.7, 2.7.10)
// Not for a queue that is not ready, which has no place to say so.
MUST_CHECK bool virtq_wants_interrupt(struct virtq *q);
// Has the driver said that it looks by itself?  (Not where there is an event index.)
bool virtq_is_polled(const struct virtq *q);
// The driver need not notify (false), or must (true) when it offers more; then look once more.
void virtq_notify_set(struct virtq *q, bool wanted);

// Copies bytes out of the part that the device reads, or into the part that it writes, and takes
// them away; how many there were.
u32 chain_read_pieces(struct chain *c, void *to, u32 len);
u32 chain_write(struct chain *c, const void *from, u32 len);

// The same: most often it is a header, which is a piece of its own.
static ALWAYS_INLINE u32 chain_read(struct chain *c, void *to, u32 len)
{
    struct seg *s = &c->segs[c->out];

    if (UNLIKELY(c->out == c->in_begin || s->len != len))
        return chain_read_pieces(c, to, len);
    gmem_load(s->at, to, len);
    c->out++;
    c->out_bytes -= len;
    return len;
}

// Takes the last byte that the device writes away: where it lies.  in_bytes is not 0.
hpa_t chain_last_byte(struct chain *c);

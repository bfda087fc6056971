// SPDX-License-Identifier: MIT
// A mailbox: frames that were sent to somebody and not yet picked up.  It is a ring of letters in
// memory of the monitor's; a letter is written once and lies still until it is freed.
#pragma once

#include "arch/lock.h"
#include "lib/types.h"

#define MAILBOX_SENDERS 72

// What a frame still needs (Virtio 1.2, 5.1.6): the layout is the specification's.
struct net_hdr {
    u8  flags;
    u8  gso_type;
    u16 hdr_len, gso_size, csum_start, csum_offset;
};

struct letter {
    u32            size; // of the letter and what belongs to it; a multiple of LETTER_ALIGN
    u32            len;  // of the frame; who writes it may shorten it
    u32            ready, freed;
    u16            from; // whose share it is of
    u8             skew; // the frame begins so far behind the letter
    bool           is_filler;
    struct net_hdr hdr;
};
#define LETTER_ALIGN 64

struct mailbox {
    // Fixed:
    u8 *room;
    u32 size; // a power of two, at least LETTER_ALIGN

    // Under the lock; head and tail are free-running:
    struct lock lock;
    bool        open;
    u64         head, tail;
    u32         used_by[MAILBOX_SENDERS];

    u32 under_way; // letters being written; atomic
    u32 told;      // whoever picks them up has been woken and has not looked yet; atomic
    u64 next;      // to be taken; whoever picks them up has it alone
};

static inline u8 *letter_frame(struct letter *l)
{
    return (u8 *)(l + 1) + l->skew;
}

enum mailbox_answer { MAILBOX_OK, MAILBOX_CLOSED, MAILBOX_FULL };

void mailbox_make(struct mailbox *m, void *room, u32 size);
// Room for a frame, at an address that is `skew` modulo 8.  No sender alone has more than two
// thirds.  What was reserved must be posted within the same stay in the monitor.  From any hart.
MUST_CHECK enum mailbox_answer mailbox_reserve(struct mailbox *m, u32 from, u32 len, u8 skew,
                                               struct letter **l);
// True: whoever picks it up has to be woken.
MUST_CHECK bool mailbox_post(struct mailbox *m, struct letter *l);

// For the one who picks up, in this order; a letter taken is the caller's until it is freed.
void           mailbox_look(struct mailbox *m); // from now on a new letter wakes again
struct letter *mailbox_take(struct mailbox *m); // NULL: there is none
void           mailbox_free(struct mailbox *m, struct letter *l); // in any order
void           mailbox_open(struct mailbox *m);
// Nothing comes any more, and what has come is thrown away, letters that were taken as well.
void mailbox_close(struct mailbox *m);
// Bytes of letters that wait.
u64 mailbox_waiting(struct mailbox *m);

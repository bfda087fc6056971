// SPDX-License-Identifier: MIT
// How a frame gets into a mailbox.
//
// In:     a frame that may go there, with its head as it was checked.
// Out:    a letter, or several if the frame is a large segment; or a counter.
// Always: the head that is delivered is the checked one; the rest is copied once, from where it
//         lies.  What the receiver does not take is done here: checksums, and cutting.
// Locks:  none; those of the mailboxes.
#include "dev/port.h"

#include <string.h>

#define PART_MAX (32 * KIB) // of a large segment in one letter

static void be16_put(u8 *at, u32 value)
{
    at[0] = (u8)(value >> 8);
    at[1] = (u8)value;
}

static bool is_tagged_for(const struct net_port *to, const struct sending *s)
{
    return to->is_card && s->vlan;
}

static u32 eth_size(const struct net_port *to, const struct sending *s)
{
    return ETH_SIZE + (is_tagged_for(to, s) ? TAG_SIZE : 0);
}

static void eth_write(u8 *at, const struct net_port *to, const struct sending *s)
{
    memcpy(at, s->head, ETH_SIZE - 2);
    at += ETH_SIZE - 2;
    if (is_tagged_for(to, s)) {
        be16_put(at, TYPE_VLAN);
        be16_put(at + 2, s->vlan);
        at += TAG_SIZE;
    }
    memcpy(at, s->head + ETH_SIZE - 2, 2);
}

// How the frame's body lies, so that it is copied to a place that lies alike.
static u8 body_skew(const struct seg_walk *body)
{
    struct seg_walk at    = *body;
    u8             *first = NULL;

    (void)seg_run(&at, 1, &first);
    return (u8)((u64)first % 8);
}

// Room for `head` bytes and for the next `n` of the frame, which are copied; NULL: there is none.
static struct letter *letter_begin(struct net_port *to, const struct net_port *from,
                                   struct seg_walk *body, u32 head, u32 n)
{
    u8                  skew = (u8)(body_skew(body) - head) % 8;
    struct letter      *l;
    enum mailbox_answer answer = mailbox_reserve(&to->box, from->number, head + n, skew, &l);

    if (answer != MAILBOX_OK) {
        port_drop(to, answer == MAILBOX_FULL ? DROP_FULL : DROP_CLOSED);
        (void)seg_skip(body, n);
        return NULL;
    }
    l->len = head + (u32)seg_read(body, letter_frame(l) + head, n);
    return l;
}

static void letter_post(struct net_port *to, struct letter *l)
{
    if (mailbox_post(&to->box, l))
        to->wake(to->wake_arg);
}

// The checksum is left to the receiver, if it takes that, or made.
static void csum_settle(const struct net_port *to, struct letter *l, u32 start, u32 off)
{
    if (to->takes & TAKES_CSUM) {
        l->hdr.flags       = HDR_NEEDS_CSUM;
        l->hdr.csum_start  = (u16)start;
        l->hdr.csum_offset = (u16)off;
    } else if (start + off + 2 <= l->len)
        offload_csum_finish(letter_frame(l), start, off, l->len);
}

void frame_deliver(struct net_port *to, const struct net_port *from, const struct net_frame *f,
                   u32 *work)
{
    const struct sending *s    = &from->out;
    u32                   head = eth_size(to, s), n = f->len - s->skip;
    struct seg_walk       body = f->at;
    struct letter        *l;

    (void)seg_skip(&body, s->skip);
    l = letter_begin(to, from, &body, head, n);
    *work += WORK_PER_FRAME + (l ? n + WORK_PER_PIECE * f->at.n : 0);
    if (!l)
        return;
    eth_write(letter_frame(l), to, s);
    if (f->hdr.flags & HDR_NEEDS_CSUM)
        csum_settle(to, l, f->hdr.csum_start + head - ETH_SIZE, f->hdr.csum_offset);
    letter_post(to, l);
}

static bool takes_large(const struct net_port *to, const struct large *g)
{
    return to->takes & (g->v6 ? TAKES_TCPV6 : TAKES_TCPV4);
}

// Payload [off, off + n).
static void part_deliver(struct net_port *to, struct net_port *from, const struct net_frame *f,
                         u32 off, u32 n)
{
    struct sending     *s   = &from->out;
    const struct large *g   = &s->large;
    u32                 eth = eth_size(to, s), more = eth - ETH_SIZE;
    struct letter      *l = letter_begin(to, from, &s->rest, g->headers + more, n);

    if (!l)
        return;
    eth_write(letter_frame(l), to, s);
    offload_headers_write(letter_frame(l) + eth, s->head, g, off, n, f->len - g->headers);
    csum_settle(to, l, g->tcp + more, f->hdr.csum_offset);
    if (n > g->size) {
        l->hdr.gso_type = f->hdr.gso_type;
        l->hdr.gso_size = (u16)g->size;
        l->hdr.hdr_len  = (u16)(g->headers + more);
    }
    letter_post(to, l);
}

bool large_deliver(struct net_port *to, struct net_port *from, const struct net_frame *f, u32 *work)
{
    struct sending     *s    = &from->out;
    const struct large *g    = &s->large;
    u32                 left = f->len - g->headers - s->done;
    u32                 part = takes_large(to, g) ? PART_MAX / g->size * g->size : g->size;

    for (; left && *work < WORK_TURN; left -= min_u64(part, left)) {
        u32 n = (u32)min_u64(part, left), before = s->rest.n;

        if (*work + n > WORK_MAX)
            return false;
        part_deliver(to, from, f, s->done, n);
        *work += WORK_PER_FRAME + WORK_PER_PIECE * (before - s->rest.n) +
                 (takes_large(to, g) ? n : 2 * n);
        s->done += n;
    }
    return !left;
}

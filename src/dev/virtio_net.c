// SPDX-License-Identifier: MIT
// A physical virtio network card (Virtio 1.2, 5.1), at a port of the switch.
//
// In:     frames that the card received; letters in the port's mailbox.
// Out:    frames into the switch; letters to the card, which reads them where they lie.
// Always: a frame from outside is handed on within the card's interrupt on the boot hart, a few at
//         a time, and the card has at most half of that hart's time; the rest waits in the card.
//         A letter is freed when the card has sent it, at the latest when another is to be sent.  A
//         card that breaks the rules is reset and left.
// Locks:  the card's, for the ring of what is sent and for taking letters; the mailbox's within it.
//         The ring of what is received belongs to the interrupt.
#include "dev/bucket.h"
#include "dev/clock.h"
#include "dev/machine.h"
#include "dev/net.h"
#include "dev/virtio.h"

#include <string.h>

enum { RX, TX };

#define RX_BUFFERS   64
#define TX_LETTERS   128
#define PIECES       2 // header and frame: legacy devices want the two apart (5.1.6.6)
#define BUFFER_SIZE  2048
#define HEADER_MAX   12
#define BUFFERS_OFF  16 // in front of a buffer stands its header
#define CARDS_MAX    4
#define FRAME_TAGGED (FRAME_MAX + 4)
#define F_MAC        BIT(5)
#define BURSTS_HZ    1000 // so much of a second its handling may take in one go,
#define STAYS_HZ     5000 // and as long a stay may be

struct card {
    // Fixed:
    struct virtio_hw *hw;
    struct net_port  *port;
    u32               header_size;

    // The interrupt's:
    struct bucket time; // that its handling takes, in ticks
    struct vring  rx;
    u8           *waits; // a frame that is not yet handed on everywhere
    u32           waits_len;

    // Under the lock:
    struct lock    lock;
    struct vring   tx;
    struct letter *next; // taken, but the ring was full
    bool           is_left;
};

static struct card cards[CARDS_MAX];
static unsigned    n_cards;
static u8          no_header[HEADER_MAX]; // nothing is left to the card to do (5.1.6.2)

// --- sending -------------------------------------------------------------------------------------

static void sent_free(struct card *c)
{
    struct letter *l;
    u32            written;

    while ((l = vring_take(&c->tx, &written))) {
        port_received(c->port, l->len);
        mailbox_free(port_mailbox(c->port), l);
    }
}

static bool letter_give(struct card *c, struct letter *l)
{
    const struct seg    segs[PIECES] = { { .at = hpa((u64)no_header), .len = c->header_size },
                                         { .at = hpa((u64)letter_frame(l)), .len = l->len } };
    const struct vpiece part         = { segs, PIECES, false };

    return vring_add(&c->tx, &part, 1, l);
}

// True: there are no more letters; otherwise the ring is full.
static bool letters_give(struct card *c)
{
    do {
        if (!c->next)
            c->next = mailbox_take(port_mailbox(c->port));
        if (!c->next || !letter_give(c, c->next))
            return !c->next;
        c->next = NULL;
    } while (true);
}

// While the ring is full the card interrupts; otherwise nobody waits for what it has sent.
static void letters_send(struct card *c)
{
    lock_take(&c->lock);
    if (!c->is_left) {
        mailbox_look(port_mailbox(c->port));
        do
            sent_free(c);
        while (!letters_give(c) && vring_rearm(&c->tx));
        vring_kick(&c->tx);
    }
    lock_drop(&c->lock);
}

static void card_wake(void *card)
{
    letters_send(card);
}

// --- receiving -----------------------------------------------------------------------------------

static bool buffer_give(struct card *c, u8 *buffer)
{
    const struct seg    segs[PIECES] = { { .at = hpa((u64)buffer), .len = c->header_size },
                                         { .at  = hpa((u64)buffer + BUFFERS_OFF),
                                           .len = FRAME_TAGGED } };
    const struct vpiece part         = { segs, PIECES, true };

    return vring_add(&c->rx, &part, 1, buffer);
}

// Hands on what waits; false: there is more to be done with it.
static bool frame_hand_on(struct card *c, u32 *work)
{
    const struct seg seg = { .at = hpa((u64)c->waits + BUFFERS_OFF), .len = c->waits_len };
    struct net_frame f   = { .at = { &seg, 1, 0 }, .len = c->waits_len };
    u64              when;

    if (port_send(c->port, &f, &when, work) == PORT_MORE)
        return false;
    (void)buffer_give(c, c->waits);
    c->waits = NULL;
    return true;
}

static bool frame_take(struct card *c)
{
    u32 written;

    c->waits = vring_take(&c->rx, &written);
    if (!c->waits)
        return false;
    c->waits_len = written > c->header_size ? written - c->header_size : 0;
    return true;
}

// Hands on as many as may be at once; true: there are no more.
static bool frames_hand_on(struct card *c, u32 *work)
{
    while (c->waits || frame_take(c))
        if (!frame_hand_on(c, work) || *work >= WORK_TURN)
            return false;
    return true;
}

// --- the card ------------------------------------------------------------------------------------

// After the reset it touches no memory; if it cannot be reset, its letters stay where they are.
static void card_leave(struct card *c)
{
    bool stopped = virtio_hw_stop(c->hw);

    lock_take(&c->lock);
    c->is_left = true;
    lock_drop(&c->lock);
    if (stopped)
        port_close(c->port);
}

// True: there are no more frames.
static bool frames_receive(struct card *c)
{
    u32  work = 0;
    bool all;

    do
        all = frames_hand_on(c, &work);
    while (all && vring_rearm(&c->rx));
    vring_kick(&c->rx);
    return all;
}

// When it may have the hart's time again; 0: now.  What is more than a stay can last is not the
// card's doing, but that of whatever is below us.
static u64 time_charge(struct card *c, u64 begin)
{
    u64 hz = machine.timebase_hz, now = clock_now();

    bucket_use(&c->time, min_u64(now - begin, hz / STAYS_HZ), begin, hz);
    return bucket_closed_until(&c->time, now);
}

static void card_interrupt(void *card)
{
    struct card *c     = card;
    u64          begin = clock_now(), closed_until;
    u32          what  = virtio_hw_interrupt(c->hw);
    bool         all;

    if (c->is_left)
        return;
    if (what & VIRTIO_INT_CONFIG && virtio_hw_failed(c->hw))
        c->rx.broken = true;
    all = frames_receive(c);
    letters_send(c);
    closed_until = time_charge(c, begin);
    if (!all || closed_until)
        irq_again(c->hw->irq, closed_until);
    if (c->rx.broken || c->tx.broken)
        card_leave(c);
}

static const char *buffers_make(struct card *c)
{
    u64 at = ram_alloc(RX_BUFFERS * BUFFER_SIZE, PAGE_SIZE);

    if (!at)
        return "the machine has too little RAM for the card's buffers; give it more (-m)";
    for (u32 i = 0; i < RX_BUFFERS && buffer_give(c, (u8 *)(at + i * BUFFER_SIZE)); i++)
        ;
    return NULL;
}

// A card without an address of its own is none to the switch: it only names the port.
static const char *port_get(struct card *c)
{
    u8 mac[MAC_SIZE] = { 0 };

    for (u32 i = 0; i < MAC_SIZE && c->hw->features & F_MAC; i++)
        mac[i] = (u8)virtio_hw_config(c->hw, i, 1);
    return switch_card_add(c->hw->node, mac, &c->port);
}

const char *virtio_net_start(struct virtio_hw *hw)
{
    struct card *c = &cards[n_cards];
    const char  *why;

    if (n_cards == CARDS_MAX)
        return "there are too many network cards; this version uses 4";
    *c      = (struct card){ .hw = hw, .header_size = hw->legacy ? HEADER_MAX - 2 : HEADER_MAX };
    c->time = (struct bucket){ .per_s = machine.timebase_hz / 2,
                               .burst = machine.timebase_hz / BURSTS_HZ };
    why     = virtio_hw_negotiate(hw, F_MAC);
    if (!why)
        why = vring_make(&c->rx, hw, RX, RX_BUFFERS, PIECES);
    if (!why)
        why = vring_make(&c->tx, hw, TX, TX_LETTERS, PIECES);
    if (!why)
        why = buffers_make(c);
    if (!why)
        why = port_get(c);
    if (!why)
        why = virtio_hw_go(hw, card_interrupt, c);
    if (why)
        return why;
    n_cards++;
    port_open(c->port, 0, card_wake, c);
    vring_kick(&c->rx);
    return NULL;
}

// SPDX-License-Identifier: MIT
// The switch.
//
// In:     frames, each from a port.
// Out:    letters in other ports' mailboxes; or nothing, and a counter.
// Always: what decides where a frame goes is read once, into the sender's port, and that copy is
//         what is delivered.  A VM's port sends with its own address alone, so where a VM is need
//         not be learnt and cannot be taken over; what is learnt is behind which card others are.
//         A VLAN's frames are untagged at a VM's port and tagged at a card's; those of VLAN 0 are
//         never tagged.  Cards are not joined with each other: that is their own network's affair.
//         A frame to all goes to a few ports at a time.
// Locks:  none; those of the mailboxes.  The list of ports is fixed after boot, and what a port
//         keeps of the frame that it sends belongs to its one sender.
#include "dev/clock.h"
#include "dev/learnt.h"
#include "dev/machine.h"
#include "dev/port.h"

#include <string.h>

#define PORTS_MAX     MAILBOX_SENDERS
#define MAILBOX_SIZE  (512 * KIB)
#define PORTS_AT_ONCE 8
#define FLOODS_PER_S  500    // frames of one port to all
#define BURSTS_PER_S  4      // a bucket may be used a quarter of a second in advance
#define TYPE_QINQ     0x88a8 // IEEE 802.1ad
#define VID           0xfff

static struct net_port *ports[PORTS_MAX];
static struct net_port *the_card; // where there is only one
static unsigned         n_ports, n_cards;

const char *const drop_names[DROPS] = {
    [DROP_SHORT] = "short",       [DROP_LONG] = "long",     [DROP_HEADER] = "header",
    [DROP_SPOOFED] = "spoofed",   [DROP_TAGGED] = "tagged", [DROP_STORM] = "storm",
    [DROP_UNKNOWN] = "unknown",   [DROP_CLOSED] = "closed", [DROP_FULL] = "full",
    [DROP_NO_SPACE] = "no-space",
};

static u16 be16(const u8 *at)
{
    return (u16)(at[0] << 8 | at[1]);
}

static bool mac_equal(const u8 *a, const u8 *b)
{
    return !memcmp(a, b, MAC_SIZE);
}

static bool mac_is_for_all(const u8 *mac) // broadcast or multicast
{
    return mac[0] & 1;
}

static struct net_port *owner_of(const u8 *mac)
{
    for (unsigned i = 0; i < n_ports; i++)
        if (!ports[i]->is_card && mac_equal(ports[i]->c.mac, mac))
            return ports[i];
    return NULL;
}

// --- ports ---------------------------------------------------------------------------------------

static const char *port_make(const char *name, const struct port_config *c, bool is_card,
                             struct net_port **port)
{
    u64 at;

    if (n_ports == PORTS_MAX)
        return "the switch has no port left for it; this version has 72";
    at = ram_alloc(align_up(sizeof(struct net_port), LETTER_ALIGN) + MAILBOX_SIZE, PAGE_SIZE);
    if (!at)
        return "the machine has too little RAM for its network; give it more (-m)";

    struct net_port *p = (struct net_port *)at;

    memcpy(p->name, name, min_u64(strlen(name), PORT_NAME_MAX - 1));
    p->number  = n_ports;
    p->c       = *c;
    p->is_card = is_card;
    p->rate    = (struct bucket){ c->bytes_per_s, machine.timebase_hz / BURSTS_PER_S, 0 };
    p->floods  = (struct bucket){ FLOODS_PER_S, machine.timebase_hz / BURSTS_PER_S, 0 };
    mailbox_make(&p->box, (void *)(at + align_up(sizeof *p, LETTER_ALIGN)), MAILBOX_SIZE);
    *port = ports[n_ports++] = p;
    return NULL;
}

const char *switch_port_add(const char *name, const struct port_config *c, struct net_port **port)
{
    static const u8 none[MAC_SIZE];

    if (mac_is_for_all(c->mac) || mac_equal(c->mac, none))
        return "its mac is not one of a single device; give one that begins with 52:54:00";
    if (owner_of(c->mac))
        return "its mac is that of another VM; give each its own";
    if (c->vlan > VLAN_MAX)
        return "its vlan is not between 1 and 4094; give such a one, or none";
    return port_make(name, c, false, port);
}

const char *switch_card_add(const char *name, const u8 mac[MAC_SIZE], struct net_port **port)
{
    struct port_config c = { 0 };
    const char        *why;

    memcpy(c.mac, mac, MAC_SIZE);
    why = port_make(name, &c, true, port);
    if (why)
        return why;
    n_cards++;
    the_card = *port;
    return NULL;
}

const u8 *port_mac(const struct net_port *p)
{
    return p->c.mac;
}

struct mailbox *port_mailbox(struct net_port *p)
{
    return &p->box;
}

void port_open(struct net_port *p, u32 takes, void (*wake)(void *arg), void *arg)
{
    p->takes    = takes;
    p->wake     = wake;
    p->wake_arg = arg;
    mailbox_open(&p->box);
}

void port_close(struct net_port *p)
{
    mailbox_close(&p->box);
    port_send_forget(p);
}

void port_drop(struct net_port *p, enum drop why)
{
    __atomic_fetch_add(&p->drops[why], 1, __ATOMIC_RELAXED);
}

void port_received(struct net_port *p, u32 bytes)
{
    p->received_frames++;
    p->received_bytes += bytes;
}

// --- who may get it ------------------------------------------------------------------------------

// Is there a way from one port to the other for frames of this VLAN?
static bool may_reach(const struct net_port *from, const struct net_port *to, u16 vlan)
{
    if (from == to || (from->is_card && to->is_card))
        return false;
    if (from->is_card || to->is_card)
        return to->is_card || to->c.vlan == vlan;
    return to->c.vlan == vlan && !from->c.isolated && !to->c.isolated;
}

// The headers of a large segment, behind those that were read already.
static enum drop large_read(const struct net_frame *f, struct seg_walk *at, struct sending *s)
{
    u32 n = ETH_SIZE;

    n += (u32)seg_read(at, s->head + ETH_SIZE, min_u64(OFFLOAD_HEAD_MAX, f->len) - ETH_SIZE);
    if (f->len > LARGE_MAX)
        return DROP_LONG;
    s->is_large = offload_large_parse(&f->hdr, s->head, n, f->len, &s->large);
    s->rest     = f->at;
    (void)seg_skip(&s->rest, s->is_large ? s->large.headers : 0);
    return s->is_large ? DROPS : DROP_HEADER;
}

// The frame's head, once and for all.  A card's may be tagged; VLAN 0 in a tag says nothing but a
// priority (802.1Q, 9.6).
static enum drop head_read(const struct net_port *p, const struct net_frame *f, struct sending *s)
{
    struct seg_walk at = f->at;
    u8              tag[TAG_SIZE];

    if (f->len < ETH_SIZE || seg_read(&at, s->head, ETH_SIZE) < ETH_SIZE)
        return DROP_SHORT;
    s->vlan     = p->c.vlan;
    s->skip     = ETH_SIZE;
    s->done     = 0;
    s->is_large = false;
    if (be16(s->head + 12) == TYPE_VLAN && p->is_card) {
        if (f->len < ETH_SIZE + TAG_SIZE || seg_read(&at, tag, TAG_SIZE) < TAG_SIZE)
            return DROP_SHORT;
        s->vlan = be16(tag) & VID;
        s->skip = ETH_SIZE + TAG_SIZE;
        memcpy(s->head + 12, tag + 2, 2);
    }
    if (f->hdr.gso_type != GSO_NONE)
        return large_read(f, &at, s);
    return f->len - (s->skip - ETH_SIZE) > FRAME_MAX ? DROP_LONG : DROPS;
}

static bool is_tagged(const u8 *head)
{
    return be16(head + 12) == TYPE_VLAN || be16(head + 12) == TYPE_QINQ;
}

// May it be sent at all?  DROPS: it may.
static enum drop frame_check(struct net_port *p, const struct net_frame *f, struct sending *s)
{
    enum drop why = head_read(p, f, s);

    if (why != DROPS)
        return why;
    if (p->is_card ? mac_is_for_all(s->head + 6) || owner_of(s->head + 6) != NULL
                   : !mac_equal(s->head + 6, p->c.mac))
        return DROP_SPOOFED;
    if (!p->is_card && is_tagged(s->head))
        return DROP_TAGGED;
    if (f->hdr.flags & HDR_NEEDS_CSUM && !offload_csum_valid(&f->hdr, f->len))
        return DROP_HEADER;
    return DROPS;
}

// Where it goes: to one port, to the cards, or to all.
static enum drop way_find(struct net_port *p, struct sending *s)
{
    s->one    = owner_of(s->head);
    s->to_all = mac_is_for_all(s->head);
    s->next   = 0;
    if (s->one)
        return may_reach(p, s->one, s->vlan) ? DROPS : DROP_UNKNOWN;
    if (!s->to_all && (p->is_card || !n_cards))
        return DROP_UNKNOWN;
    if (!s->to_all)
        s->one = n_cards > 1 ? learnt_find(s->head, s->vlan) : the_card;
    return s->is_large && !s->one ? DROP_HEADER : DROPS; // TCP is between two
}

// --- on its way ----------------------------------------------------------------------------------

static void sent(struct net_port *p, const struct net_frame *f)
{
    p->out.under_way = false;
    p->sent_frames++;
    p->sent_bytes += f->len;
}

// The next few of all ports.
static enum port_answer several_send(struct net_port *p, const struct net_frame *f, u32 *work)
{
    struct sending *s = &p->out;

    for (u32 done = 0; s->next < n_ports; s->next++) {
        struct net_port *to = ports[s->next];

        if (!may_reach(p, to, s->vlan) || !(s->to_all || to->is_card))
            continue;
        if (done == PORTS_AT_ONCE || (done && *work >= WORK_TURN))
            return PORT_MORE;
        done++;
        frame_deliver(to, p, f, work);
    }
    sent(p, f);
    return PORT_DONE;
}

// Looks at a frame for the first time.  DROPS: it is on its way.
static enum drop begin(struct net_port *p, const struct net_frame *f, u64 now)
{
    struct sending *s   = &p->out;
    enum drop       why = frame_check(p, f, s);

    if (why != DROPS)
        return why;
    if (p->is_card && n_cards > 1)
        learnt_add(s->head + 6, s->vlan, p, now);
    why = way_find(p, s);
    if (why == DROPS && s->to_all) {
        if (bucket_closed_until(&p->floods, now))
            return DROP_STORM;
        bucket_use(&p->floods, 1, now, machine.timebase_hz);
    }
    s->under_way = why == DROPS;
    return why;
}

enum port_answer port_send(struct net_port *p, const struct net_frame *f, u64 *when, u32 *work)
{
    u64       now = clock_now();
    enum drop why = DROPS;

    if (!p->out.under_way) {
        *when = bucket_closed_until(&p->rate, now);
        if (*when)
            return PORT_LATER;
        *work += WORK_PER_FRAME;
        bucket_use(&p->rate, f->len, now, machine.timebase_hz);
        why = begin(p, f, now);
    }
    if (why != DROPS) {
        port_drop(p, why);
        return PORT_DONE;
    }
    if (!p->out.one)
        return several_send(p, f, work);
    if (p->out.is_large && !large_deliver(p->out.one, p, f, work))
        return PORT_MORE;
    if (!p->out.is_large)
        frame_deliver(p->out.one, p, f, work);
    sent(p, f);
    return PORT_DONE;
}

void port_send_forget(struct net_port *p)
{
    p->out.under_way = false;
}

// --- for the monitor -----------------------------------------------------------------------------

bool switch_port(unsigned n, struct port_report *r)
{
    if (n >= n_ports)
        return false;

    struct net_port *p = ports[n];

    *r = (struct port_report){
        .name            = p->name,
        .vlan            = p->c.vlan,
        .is_card         = p->is_card,
        .isolated        = p->c.isolated,
        .open            = p->box.open,
        .bytes_per_s     = p->c.bytes_per_s,
        .waiting         = mailbox_waiting(&p->box),
        .sent_frames     = p->sent_frames,
        .sent_bytes      = p->sent_bytes,
        .received_frames = p->received_frames,
        .received_bytes  = p->received_bytes,
    };
    memcpy(r->mac, p->c.mac, MAC_SIZE);
    for (unsigned i = 0; i < DROPS; i++)
        r->drops[i] = __atomic_load_n(&p->drops[i], __ATOMIC_RELAXED);
    return true;
}

unsigned switch_port_count(void)
{
    return n_ports;
}

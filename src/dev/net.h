// SPDX-License-Identifier: MIT
// The network between virtual machines and, where there is one, the physical card: a switch, its
// ports, and the frames that go through it.  Whoever stands at a port, a guest's device or a card's
// driver, knows neither the switch's inside nor who stands at the others.
#pragma once

#include "dev/mailbox.h"
#include "lib/seg.h"

#define MAC_SIZE  6
#define ETH_SIZE  14   // destination, source, type
#define FRAME_MAX 1514 // without the tag of a VLAN and without the checksum behind it
#define VLAN_MAX  4094

struct net_port;

struct port_config {
    u8   mac[MAC_SIZE];
    bool isolated;    // it reaches the cards alone, and no other VM
    u16  vlan;        // 1 to VLAN_MAX; 0: it is in none
    u64  bytes_per_s; // that it may send; 0: no limit
};

// A port for a VM; boot only.  NULL and *port, or in one line what is wrong and what would help.
MUST_CHECK const char *switch_port_add(const char *name, const struct port_config *c,
                                       struct net_port **port);
// A port for a physical card, behind which any number of others may stand.
MUST_CHECK const char *switch_card_add(const char *name, const u8 mac[MAC_SIZE],
                                       struct net_port **port);

const u8 *port_mac(const struct net_port *p);

// From now on frames come into the port's mailbox, and wake(arg) says so: from any hart, in whoever
// sends, who may hold a vm->lock.  `takes`: what may be left to whoever picks them up (TAKES_... in
// dev/offload.h).
void port_open(struct net_port *p, u32 takes, void (*wake)(void *arg), void *arg);
void port_close(struct net_port *p);
// The port's letters (dev/mailbox.h), to be picked up by whoever opened it.
struct mailbox *port_mailbox(struct net_port *p);

struct net_frame {
    struct seg_walk at; // its first byte
    u32             len;
    struct net_hdr  hdr;
};

// Work is counted in bytes that could be copied instead.  In a turn nothing is begun after the
// first, and nothing that would lead beyond the second.
#define WORK_TURN (16 * KIB)
#define WORK_MAX  (36 * KIB)

enum port_answer {
    PORT_DONE,  // it went wherever it could
    PORT_MORE,  // a part of the work is done; the same again, now or later
    PORT_LATER, // the port has sent as much as it may: not before *when
};

// Sends one frame, or a part of it if *work, that of this turn, has become too much: it grows by
// the bytes copied and something for each frame and piece.  One hart at a time for each port.
MUST_CHECK enum port_answer port_send(struct net_port *p, const struct net_frame *f, u64 *when,
                                      u32 *work);
// Forgets a frame of which port_send() has said PORT_MORE.
void port_send_forget(struct net_port *p);

// Why a frame went nowhere.  The first few are counted where it was sent.
enum drop {
    DROP_SHORT,    // no Ethernet header
    DROP_LONG,     // over FRAME_MAX
    DROP_HEADER,   // it asks for something that cannot be done with it
    DROP_SPOOFED,  // from another's address
    DROP_TAGGED,   // a VM chose a VLAN itself
    DROP_STORM,    // too many to everybody
    DROP_UNKNOWN,  // to nobody that it may reach
    DROP_CLOSED,   // where it should go nobody picks up
    DROP_FULL,     // too many wait there already
    DROP_NO_SPACE, // the driver's buffers are too small
    DROPS
};
extern const char *const drop_names[DROPS];

void port_drop(struct net_port *p, enum drop why);
// A frame was picked up and handed over.
void port_received(struct net_port *p, u32 bytes);

// For the monitor: numbers of the n-th port, a moment ago.
struct port_report {
    const char *name;
    u8          mac[MAC_SIZE];
    u16         vlan;
    bool        is_card, isolated, open;
    u64         bytes_per_s;
    u64         waiting; // bytes not yet picked up
    u64         sent_frames, sent_bytes, received_frames, received_bytes;
    u64         drops[DROPS];
};
// False: there are no more.
bool     switch_port(unsigned n, struct port_report *r);
unsigned switch_port_count(void);

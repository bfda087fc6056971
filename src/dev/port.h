// SPDX-License-Identifier: MIT
// The inside of the switch: a port, and the frame that it is sending.  For the switch's own files.
#pragma once

#include "dev/bucket.h"
#include "dev/net.h"
#include "dev/offload.h"

#define PORT_NAME_MAX  32
#define TYPE_VLAN      0x8100 // IEEE 802.1Q
#define TAG_SIZE       4
#define WORK_PER_FRAME 1536 // in bytes that could be copied instead,
#define WORK_PER_PIECE 64u  // and for each piece that it lies in

// Where the frame goes that is being sent.
struct sending {
    bool under_way;
    u8   head[OFFLOAD_HEAD_MAX]; // as checked, without a tag; of a large segment all headers
    u16  vlan;                   // in which it goes
    u32  skip;                   // bytes of the frame that `head` stands for
    bool to_all;                 // otherwise to one port, or to all cards
    u32  next;                   // the port to be looked at next
    struct net_port *one;        // NULL: several

    // Of a large segment:
    bool            is_large;
    struct large    large;
    u32             done; // bytes of its payload,
    struct seg_walk rest; // and where the others lie
};

struct net_port {
    // Fixed:
    char               name[PORT_NAME_MAX];
    u32                number;
    struct port_config c;
    bool               is_card;

    // Fixed while the mailbox is open:
    u32 takes;
    void (*wake)(void *arg);
    void *wake_arg;

    struct mailbox box;

    // Its sender's:
    struct bucket  rate, floods;
    struct sending out;
    u64            sent_frames, sent_bytes;

    // Its receiver's:
    u64 received_frames, received_bytes;

    u64 drops[DROPS]; // atomic
};

// Puts the frame that `from` is sending into the mailbox of `to`, whole, or what is left of a large
// segment: false, if more of it is left.
void frame_deliver(struct net_port *to, const struct net_port *from, const struct net_frame *f,
                   u32 *work);
MUST_CHECK bool large_deliver(struct net_port *to, struct net_port *from, const struct net_frame *f,
                              u32 *work);

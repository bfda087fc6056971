// SPDX-License-Identifier: MIT
// What a driver may leave to the network card (Virtio 1.2, 5.1.6.2): the checksum of TCP or UDP,
// and TCP segments larger than a packet, which are cut into packets on their way to whoever cannot
// take them whole.
#pragma once

#include "dev/mailbox.h"

#define HDR_NEEDS_CSUM 1 // flags
#define GSO_NONE       0
#define GSO_TCPV4      1
#define GSO_TCPV6      4
#define GSO_ECN        0x80 // beside the two; for a feature that no port offers

#define OFFLOAD_HEAD_MAX 136 // Ethernet, IP and TCP headers, the longest
#define LARGE_MAX        (65535 + 14)

// What the one side may leave to the other: bits of what a port takes.
enum { TAKES_CSUM = 1, TAKES_TCPV4 = 2, TAKES_TCPV6 = 4 };

// A large segment, its headers checked.
struct large {
    u32  headers; // bytes before its payload
    u32  tcp;     // where TCP's header begins
    u32  size;    // of the payload of one packet, which is with its headers no longer than a frame
    bool v6;
};

// May a frame of that length, beginning with `head`, ask for what `h` asks for?  `n` bytes of it
// are in `head`: all its headers, or OFFLOAD_HEAD_MAX.
bool offload_csum_valid(const struct net_hdr *h, u32 len);
bool offload_large_parse(const struct net_hdr *h, const u8 *head, u32 n, u32 len, struct large *g);

// Writes IP and TCP headers of the packet with payload [off, off + n) out of `total` to `ip`; TCP's
// checksum is that of the pseudo header, as NEEDS_CSUM wants it.
void offload_headers_write(u8 *ip, const u8 *head, const struct large *g, u32 off, u32 n,
                           u32 total);
// The checksum over [start, len), put to start + off, where that of the pseudo header stands.
void offload_csum_finish(u8 *frame, u32 start, u32 off, u32 len);

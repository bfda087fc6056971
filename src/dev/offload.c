// SPDX-License-Identifier: MIT
// Checksums and large TCP segments in software (RFC 791, 8200, 9293, 1071).
//
// In:     headers, copied from a guest's frame; what its driver left to be done.
// Out:    headers of a part of a large segment; checksums.
// Always: headers are parsed once, on the copy that is delivered; their lengths add up within the
//         frame.  A segment with other headers than IP and TCP side by side is not taken.
// Locks:  none; pure functions of bytes.
#include "dev/offload.h"

#include "dev/net.h"
#include "lib/bits.h"

#include <string.h>

#define ETH       14
#define IPV4_MIN  20
#define IPV6_SIZE 40
#define TCP_MIN   20
#define PROTO_TCP 6
#define SIZE_MIN  48 // of a packet's payload: less is no network's

enum { IP4_LEN = 2, IP4_ID = 4, IP4_PROTO = 9, IP4_CSUM = 10, IP4_SRC = 12 };
enum { IP6_LEN = 4, IP6_NEXT = 6, IP6_SRC = 8 };
enum { TCP_SEQ = 4, TCP_OFFSET = 12, TCP_FLAGS = 13, TCP_CSUM = 16 };

#define FIN_PSH 0x09
#define CWR     0x80

static u32 be16(const u8 *at)
{
    return (u32)at[0] << 8 | at[1];
}

static void be16_put(u8 *at, u32 value)
{
    at[0] = (u8)(value >> 8);
    at[1] = (u8)value;
}

static u32 be32(const u8 *at)
{
    return be16(at) << 16 | be16(at + 2);
}

static void be32_put(u8 *at, u32 value)
{
    be16_put(at, value >> 16);
    be16_put(at + 2, value);
}

// --- sums: of 16-bit words as they lie in memory, in ones' complement ----------------------------

static u32 folded(u64 sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (u32)sum;
}

static u64 added(u64 sum, u64 word)
{
    sum += word;
    return sum + (sum < word);
}

// By aligned words, as if zeros stood in front; what then began at an odd byte is swapped.
static u32 sum_of(const u8 *at, size_t len)
{
    u64    skew = (u64)at % 8, sum = 0, word = 0;
    size_t head = min_u64(skew ? 8 - skew : 0, len);

    memcpy((u8 *)&word + skew % 8, at, head);
    sum = word;
    for (at += head, len -= head; len >= 8; at += 8, len -= 8)
        sum = added(sum, *(const u64 *)(const void *)at);
    word = 0;
    memcpy(&word, at, len);
    sum = folded(added(sum, word));
    return skew % 2 ? (u32)(sum << 8 & 0xff00) | (u32)(sum >> 8) : (u32)sum;
}

static void sum_put(u8 *at, u32 sum)
{
    u16 word = (u16)sum;

    memcpy(at, &word, sizeof word);
}

void offload_csum_finish(u8 *frame, u32 start, u32 off, u32 len)
{
    u32 sum = ~sum_of(frame + start, len - start) & 0xffff;

    sum_put(frame + start + off, sum ? sum : 0xffff); // UDP: 0 says that there is none (RFC 768)
}

// --- what a driver asks for ----------------------------------------------------------------------

bool offload_csum_valid(const struct net_hdr *h, u32 len)
{
    return h->csum_start >= ETH && (u32)h->csum_start + h->csum_offset + 2 <= len;
}

static bool ipv4_is_good(const u8 *ip, u32 room, u32 *size)
{
    *size = 4 * (ip[0] & 15u);
    return room >= IPV4_MIN && ip[0] >> 4 == 4 && *size >= IPV4_MIN && ip[IP4_PROTO] == PROTO_TCP;
}

static bool ipv6_is_good(const u8 *ip, u32 room, u32 *size)
{
    *size = IPV6_SIZE;
    return room >= IPV6_SIZE && ip[0] >> 4 == 6 && ip[IP6_NEXT] == PROTO_TCP;
}

bool offload_large_parse(const struct net_hdr *h, const u8 *head, u32 n, u32 len, struct large *g)
{
    u32 type = h->gso_type, ip, tcp; // with GSO_ECN it is none of the two: that was not offered

    *g = (struct large){ .size = h->gso_size, .v6 = type == GSO_TCPV6 };
    if ((type != GSO_TCPV4 && type != GSO_TCPV6) || !(h->flags & HDR_NEEDS_CSUM) || n < ETH + 1)
        return false;
    if (be16(head + 12) != (g->v6 ? 0x86dd : 0x0800) || g->size < SIZE_MIN)
        return false;
    if (!(g->v6 ? ipv6_is_good : ipv4_is_good)(head + ETH, n - ETH, &ip))
        return false;
    g->tcp = ETH + ip;
    if (g->tcp + TCP_MIN > n)
        return false;
    tcp        = 4 * (u32)(head[g->tcp + TCP_OFFSET] >> 4);
    g->headers = g->tcp + tcp;
    return tcp >= TCP_MIN && g->headers <= n && g->headers < len &&
           g->headers + g->size <= FRAME_MAX && h->csum_start == g->tcp &&
           h->csum_offset == TCP_CSUM;
}

// --- headers of a part ---------------------------------------------------------------------------

static void ipv4_fix(u8 *ip, u32 size, u32 len, u32 number)
{
    be16_put(ip + IP4_LEN, len);
    be16_put(ip + IP4_ID, be16(ip + IP4_ID) + number);
    be16_put(ip + IP4_CSUM, 0);
    sum_put(ip + IP4_CSUM, ~sum_of(ip, size));
}

// Addresses, protocol and length (RFC 9293, 3.1; RFC 8200, 8.1).
static u32 pseudo_sum(const u8 *ip, const struct large *g, u32 tcp_len)
{
    u8 last[4] = { 0, PROTO_TCP };

    be16_put(last + 2, tcp_len);
    return folded((u64)sum_of(ip + (g->v6 ? IP6_SRC : IP4_SRC), g->v6 ? 32 : 8) +
                  sum_of(last, sizeof last));
}

static void tcp_fix(u8 *tcp, u32 off, bool first, bool last)
{
    be32_put(tcp + TCP_SEQ, be32(tcp + TCP_SEQ) + off);
    if (!last)
        tcp[TCP_FLAGS] &= (u8)~FIN_PSH;
    if (!first)
        tcp[TCP_FLAGS] &= (u8)~CWR;
}

void offload_headers_write(u8 *ip, const u8 *head, const struct large *g, u32 off, u32 n, u32 total)
{
    u32 ip_size = g->tcp - ETH, tcp_len = g->headers - g->tcp + n;

    memcpy(ip, head + ETH, g->headers - ETH);
    if (g->v6)
        be16_put(ip + IP6_LEN, tcp_len);
    else
        ipv4_fix(ip, ip_size, ip_size + tcp_len, off / g->size);
    tcp_fix(ip + ip_size, off, !off, off + n == total);
    sum_put(ip + ip_size + TCP_CSUM, pseudo_sum(ip, g, tcp_len));
}

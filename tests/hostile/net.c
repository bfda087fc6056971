// SPDX-License-Identifier: MIT
// Attacks the network.  Command line: seed=<n>, and role=<n>:
//   0  floods: as fast as it can, to its neighbours, to those that never pick up (all of this role do
//      not), to nobody, to everybody
//   1  spoofs: others' addresses as source, groups, tags of VLANs, sources that change under way
//   2  lies: headers, lengths and chains that no driver makes; buffers that are too small, lie
//      anywhere or are never given; registers, features and status in any order; resets with
//      everything under way
// What it sends with an address of its own says, in the frame, whose it is; pair.c looks at that.
// Shows: D1 D2 D3 D4 D5 D6 D11 S4
#include "nic.h"

#include <string.h>

#define STEPS      300
#define ROOM       (256 * 1024)
#define N_ADDRS    8 // of which some are nobody's
#define LARGE_MAX  65549
#define TYPE_OTHER 0x88b5
#define TYPE_VLAN  0x8100
#define TYPE_QINQ  0x88a8
#define TYPE_IPV4  0x0800
#define TYPE_IPV6  0x86dd

static u8             room[ROOM] __attribute__((aligned(PAGE))); // of buffers, and of many frames
static u8             lie_frame[LARGE_MAX + 100];
static struct nic_hdr lie_hdrs[QUEUE_SIZE];
static u64            seed;
static u32            me;

static void be_put(u8 *at, u32 value, u32 n)
{
    while (n--) {
        at[n] = (u8)value;
        value >>= 8;
    }
}

static void type_put(u8 *f, u32 type)
{
    be_put(f + 12, type, 2);
}

static void to_any(u8 *f)
{
    switch (any_below(8, &seed)) {
    case 0: memset(f, 0xff, MAC_SIZE); break;
    case 1:
        mac_make(f, 1);
        f[0] = 0x33;
        break;
    default: mac_make(f, (u32)any_below(N_ADDRS, &seed)); break;
    }
}

// A frame to anybody, from this machine, which says so.
static void frame_make(u8 *f)
{
    to_any(f);
    mac_make(f + MAC_SIZE, me);
    type_put(f, TYPE_OTHER);
    f[ETH_SIZE] = f[ETH_SIZE + 6] = (u8)me;
}

// All that was offered has come back, or the device says that it needs a reset.
static bool is_idle(void)
{
    return nic_rings[NIC_TX].used.index == nic_rings[NIC_TX].avail.index ||
           nic_get(VIRTIO_STATUS) != 15;
}

// --- 0: floods ---

static void flood(void)
{
    u32 len = (u32[]){ 60, 1514, 512 }[any_below(3, &seed)];

    for (u16 n = 0; n < QUEUE_SIZE; n++) {
        u8 *at = room + 2048ul * n;

        memset(at, 0, HDR_SIZE);
        frame_make(at + HDR_SIZE);
        nic_desc(NIC_TX, n, at, HDR_SIZE + len, 0, 0);
    }
    for (u32 turn = 0; turn < 4; turn++) {
        for (u16 n = 0; n < QUEUE_SIZE; n++)
            nic_offer(NIC_TX, n);
        nic_kick(NIC_TX);
        if (!wait_for(is_idle(), arg("patience_ms", 2000)))
            say("BAD the queue stands still");
    }
}

// --- 1: spoofs ---

static void source_forge(u8 *f)
{
    u8 *source = f + MAC_SIZE;

    switch (any_below(8, &seed)) {
    case 0: memset(source, 0, MAC_SIZE); break;
    case 1: memset(source, 0xff, MAC_SIZE); break;
    case 2: source[0] |= 1; break;
    case 3: source[any_below(MAC_SIZE, &seed)] ^= (u8)(1 << any_below(8, &seed)); break;
    case 4: type_put(f, any_below(2, &seed) ? TYPE_VLAN : TYPE_QINQ); break;
    case 5: break; // for once the truth
    default: mac_make(source, (me + 1 + (u32)any_below(N_ADDRS - 1, &seed)) % N_ADDRS); break;
    }
}

// Half of the sources are true when the frame is offered, and are written to until it is sent.
static void spoof(void)
{
    for (u16 n = 0; n < QUEUE_SIZE; n++) {
        u8 *f = room + 2048ul * n + HDR_SIZE;

        memset(f - HDR_SIZE, 0, HDR_SIZE);
        frame_make(f);
        if (n % 2)
            source_forge(f);
        nic_desc(NIC_TX, n, f - HDR_SIZE, HDR_SIZE + 60 + (u32)any_below(1454, &seed), 0, 0);
        nic_offer(NIC_TX, n);
        if (any_below(2, &seed))
            nic_kick(NIC_TX);
        if (n % 8 == 0)
            mac_make(f + MAC_SIZE, (u32)any_below(2, &seed));
    }
    nic_kick(NIC_TX);
    for (u32 turn = 0; !is_idle() && turn < 100000; turn++)
        ((volatile u8 *)room)[2048 * (turn % QUEUE_SIZE) + HDR_SIZE + 11] = (u8)(turn % 3 ? me : 0);
}

// --- 2: lies ---

static const u64 places[] = { 0,
                              CLINT,
                              PLIC,
                              UART,
                              VIRTIO + 0x1000,
                              RAM - 4096,
                              RAM + 64 * MIB,
                              RAM + 64 * MIB - 1,
                              ~0ul,
                              1ul << 44,
                              1ul << 63,
                              ~0ul - 15 };

static u64 any_place(void)
{
    switch (any_below(12, &seed)) {
    case 0: return any_of(places, &seed);
    case 1: return (u64)nic_rings + any_below(sizeof nic_rings, &seed);
    default: return (u64)room + any_below(ROOM - 2048, &seed);
    }
}

static u16 any_number(void)
{
    static const u16 numbers[] = { 0,  1,   12,   13,   14,   33,   34,   47,    48,    49,   54,
                                   74, 512, 1448, 1460, 1500, 1514, 9000, 32767, 32768, 65535 };

    return any_below(4, &seed) ? any_of(numbers, &seed) : (u16)random_next(&seed);
}

static void hdr_lie(struct nic_hdr *h)
{
    static const u8 types[] = { 0, 1, 3, 4, 5, 0x80, 0x81, 0x83, 0x84, 0xff };

    *h = (struct nic_hdr){ (u8)any_below(8, &seed),
                           any_of(types, &seed),
                           any_number(),
                           any_number(),
                           any_number(),
                           any_number(),
                           any_number() };
}

// The headers of a TCP segment, mostly as they should be.
static void segment_make(u8 *f, bool v6)
{
    u32 tcp = ETH_SIZE + (v6 ? 40 : 20);

    mac_make(f, (u32)any_below(3, &seed));
    memset(f + ETH_SIZE, 0, 60);
    type_put(f, v6 ? TYPE_IPV6 : TYPE_IPV4);
    f[ETH_SIZE]                = v6 ? 0x60 : 0x45;
    f[ETH_SIZE + (v6 ? 6 : 9)] = 6;
    f[v6 ? 37 : 29] = f[v6 ? 53 : 33] = (u8)me;
    f[tcp + 12]                       = any_below(8, &seed) ? 0x50 : (u8)random_next(&seed);
    if (any_below(8, &seed) == 0)
        f[ETH_SIZE] = (u8)random_next(&seed);
}

// What must stand before it; half of the time one thing is not so.
static void segment_hdr(struct nic_hdr *h, bool v6)
{
    u16 tcp = ETH_SIZE + (v6 ? 40 : 20);

    *h = (struct nic_hdr){ 1,  v6 ? 4 : 1, (u16)(tcp + 20), (u16)(48 + any_below(1400, &seed)), tcp,
                           16, 0 };
    switch (any_below(12, &seed)) {
    case 0: h->gso_size = any_number(); break;
    case 1: h->csum_start = any_number(); break;
    case 2: h->csum_offset = any_number(); break;
    case 3: h->hdr_len = any_number(); break;
    case 4: h->gso_type ^= (u8)(1 << any_below(8, &seed)); break;
    case 5: h->flags = (u8)random_next(&seed); break;
    default: break;
    }
}

static u32 any_length(void)
{
    static const u32 lengths[] = { 0,    1,     13,    14,    15,        33,
                                   53,   54,    60,    1513,  1514,      1515,
                                   1518, 32768, 65535, 65549, LARGE_MAX, LARGE_MAX + 1 };

    return any_below(3, &seed) ? any_of(lengths, &seed) : (u32)any_below(70000, &seed);
}

// Descriptors for an area, from n on, of any sizes; `more` follow.  The next one's number.
static u16 area_cut(u16 n, const void *area, u32 len, bool more)
{
    u64 at     = (u64)area;
    u32 pieces = (u32)(1 + any_below(any_below(4, &seed) ? 3 : QUEUE_SIZE, &seed));

    for (u32 part; len; at += part, len -= part) {
        part = (u32)(1 + any_below(any_below(2, &seed) ? 12 : len, &seed));
        part = part > len || !--pieces || n == QUEUE_SIZE - 2 ? len : part;
        nic_desc(NIC_TX, n, (void *)at, part, part < len || more ? DESC_NEXT : 0, (u16)(n + 1));
        n++;
    }
    return n;
}

// A header, perhaps, and any length of the frame; now and then a piece that is none.
static u16 lie_offer(u16 first, const struct nic_hdr *h)
{
    bool has_hdr = any_below(16, &seed);
    u32  len     = any_length();
    u16  n       = first;

    if (has_hdr)
        n = area_cut(n, h, len ? HDR_SIZE : (u32)(1 + any_below(HDR_SIZE, &seed)), len);
    if (len)
        n = area_cut(n, lie_frame, len, false);
    if (n > first && any_below(100, &seed) == 0)
        nic_rings[NIC_TX].desc[first].flags = (u16)any_below(8, &seed);
    if (n > first && any_below(100, &seed) == 0)
        nic_rings[NIC_TX].desc[first].at = any_place();
    if (n > first)
        nic_offer(NIC_TX, first);
    return n > first ? n : (u16)(first + 1);
}

// One frame, again and again; it lies still until all of them are sent.
static void lies_send(void)
{
    bool is_segment = any_below(2, &seed), v6 = any_below(2, &seed);
    u16  next = 0;

    frame_make(lie_frame);
    if (is_segment)
        segment_make(lie_frame, v6);
    while (next < QUEUE_SIZE - 4) {
        struct nic_hdr *h = &lie_hdrs[next];

        if (is_segment)
            segment_hdr(h, v6);
        else
            hdr_lie(h);
        next = lie_offer(next, h);
        if (any_below(2, &seed))
            nic_kick(NIC_TX);
    }
    nic_kick(NIC_TX);
    if (!wait_for(is_idle(), 20ul))
        nic_negotiate(0);
}

static void buffers_give(void)
{
    static const u32 lengths[] = { 1, 11, 12, 13, 26, 60, 100, 1525, 1526, 2048, 65536 };

    for (u64 n = any_below(QUEUE_SIZE, &seed); n--;) {
        u16 i = (u16)any_below(QUEUE_SIZE, &seed);

        nic_desc(NIC_RX, i, (void *)any_place(), any_of(lengths, &seed),
                 any_below(20, &seed) ? DESC_WRITE : (u16)any_below(8, &seed),
                 (u16)any_below(QUEUE_SIZE, &seed));
        nic_offer(NIC_RX, i);
    }
    nic_kick(NIC_RX);
}

static void rings_scribble(void)
{
    volatile struct rings *r = &nic_rings[any_below(2, &seed)];

    for (u64 n = any_below(8, &seed); n--;) {
        volatile struct desc *d = &r->desc[any_below(QUEUE_SIZE, &seed)];

        d->at    = any_place();
        d->len   = (u32)edge_number(&seed);
        d->flags = (u16)any_below(8, &seed);
        d->next  = (u16)any_below(2 * QUEUE_SIZE, &seed);
    }
    r->avail.index = (u16)(r->avail.index + any_below(QUEUE_SIZE, &seed));
    nic_kick((u32)any_below(3, &seed));
}

static void registers_poke(void)
{
    for (u64 n = any_below(20, &seed); n--;)
        TRAPS(nic_put(4 * any_below(0x44, &seed), (u32)edge_number(&seed)));
}

// D11: after STATUS reads 0, nothing is written any more, though the others go on sending.
static void reset_in_flight(void)
{
    nic_start(F_VERSION_1 | F_MRG_RXBUF * any_below(2, &seed));
    for (u16 n = 0; n < QUEUE_SIZE; n++) {
        nic_desc(NIC_RX, n, room + 2048ul * n, 64 + 30u * n, DESC_WRITE, 0);
        nic_offer(NIC_RX, n);
    }
    nic_kick(NIC_RX);
    wait_for(nic_rings[NIC_RX].used.index, 20ul);
    nic_put(VIRTIO_STATUS, 0);
    if (nic_get(VIRTIO_STATUS))
        say("BAD a reset has not reset");
    memset(room, 0x5a, ROOM);
    wait_for(false, 5ul);
    for (u64 i = 0; i < ROOM; i++)
        if (room[i] != 0x5a) {
            say("BAD late write at %lu", i);
            break;
        }
}

static void lie(void)
{
    switch (any_below(16, &seed)) {
    case 0: registers_poke(); break;
    case 1: rings_scribble(); break;
    case 2: nic_start(nic_features() & random_next(&seed)); break;
    case 3:
    case 4:
    case 5: buffers_give(); break;
    case 6: nic_put(VIRTIO_STATUS, (u32)any_below(256, &seed)); break;
    default: lies_send(); break;
    }
    if (nic_get(VIRTIO_STATUS) != 15)
        nic_start(nic_features() & ~(any_below(2, &seed) << 15));
}

GUEST(net)
{
    static void (*const roles[])(void) = { flood, spoof, lie };
    u64 role                           = arg("role", 0) % ARRAY_LEN(roles);

    seed = arg("seed", 1) * 77777;
    me   = nic_number();
    nic_start(F_VERSION_1);
    for (u64 round = 1;; round++) {
        for (u32 i = 0; i < STEPS; i++) {
            roles[role]();
            if (nic_get(VIRTIO_STATUS) != 15) // in an attack it needs a reset, now and then
                nic_start(F_VERSION_1 | F_CSUM);
        }
        if (role == 2) {
            reset_in_flight();
            nic_start(F_VERSION_1 | F_CSUM);
        }
        say("round %lu", round);
    }
}

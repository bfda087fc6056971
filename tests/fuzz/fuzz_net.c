// SPDX-License-Identifier: MIT
// Fuzzes the network: bytes -> registers, rings, descriptors and frames of a VM's virtual card, and
// frames from a physical one, at a switch with others at it.  What must hold whatever comes: nobody
// gets a frame from an address that is not the sender's own, from a VLAN that is not theirs, or of
// a length that no frame has; and nothing is left to one who does not take it.
#include "bytes.h"

#include "dev/machine.h"
#include "dev/net.h"
#include "dev/offload.h"
#include "lib/panic.h"
#include "rig/driver.h"
#include "rig/net.h"
#include "vdev/virtio.h"

#include <stdlib.h>

#define RINGS    (VM_RAM_BASE + 0x10000)
#define ROOM     (VM_RAM_BASE + 0x20000) // of frames and buffers
#define RAM_SIZE (16 * MIB)
#define PEERS    4 // of which the last is a card

static struct rig      *r;
static struct driver    queues[2];
static struct net_port *own, *peers[PEERS];
static const u16        vlan_of[PEERS] = { 5, 5, 0, 0 };
static u32              takes_of[PEERS]; // as the bytes say
static u8               frame[2048];

void machine_forget(void);

static void mac_make(u8 *mac, u32 n)
{
    memcpy(mac, (u8[6]){ 0x52, 0x54, 0, 0, 0, (u8)n }, 6);
}

static void woken(void *arg)
{
    (void)arg;
}

static void world_make(void)
{
    struct port_config c = { .vlan = 5 };

    bench_reset();
    machine_forget();
    machine.ram[0]      = (struct range){ (u64)aligned_alloc(PAGE_SIZE, RAM_SIZE), RAM_SIZE };
    machine.n_ram       = 1;
    machine.timebase_hz = 10000000;
    mac_make(c.mac, 9);
    ASSERT(!switch_port_add("own", &c, &own));
    for (u32 i = 0; i < PEERS; i++) {
        mac_make(c.mac, i);
        c.vlan     = vlan_of[i];
        c.isolated = i == 1;
        ASSERT(!(i == PEERS - 1 ? switch_card_add("card", c.mac, &peers[i])
                                : switch_port_add("peer", &c, &peers[i])));
        port_open(peers[i], 0, woken, NULL);
    }
    r = rig_make(&(struct rig_options){ .port = own });
}

// What is left to the receiver is what it takes, and lies within the frame.
static void offload_check(u32 peer, const struct letter *l)
{
    u32 takes = takes_of[peer], type = l->hdr.gso_type;

    ASSERT(!l->hdr.flags || (l->hdr.flags == HDR_NEEDS_CSUM && takes & TAKES_CSUM));
    if (l->hdr.flags)
        ASSERT((u32)l->hdr.csum_start + l->hdr.csum_offset + 2 <= l->len);
    if (!l->hdr.gso_type)
        return;
    ASSERT(type == GSO_TCPV4 ? takes & TAKES_TCPV4 : type == GSO_TCPV6 && takes & TAKES_TCPV6);
    ASSERT(l->hdr.flags && l->hdr.hdr_len > l->hdr.csum_start && l->hdr.hdr_len < l->len);
    ASSERT(l->hdr.gso_size && l->hdr.hdr_len + l->hdr.gso_size <= FRAME_MAX);
    ASSERT(l->len <= 33 * KIB);
}

static void letter_check(u32 peer, const struct letter *l)
{
    const u8 *at  = letter_frame((struct letter *)l);
    u32       len = l->len;
    u8        own_mac[6];
    bool      from_own, is_card = peer == PEERS - 1;

    mac_make(own_mac, 9);
    from_own = !memcmp(at + 6, own_mac, 6);
    offload_check(peer, l);
    ASSERT(len >= ETH_SIZE && (l->hdr.gso_type || len <= FRAME_MAX + (is_card ? 4 : 0)));
    ASSERT(from_own || !is_card);
    ASSERT(!from_own || is_card || (vlan_of[peer] == 5 && peer != 1));
    ASSERT(!is_card || (at[12] == 0x81 && !at[13] && !at[14] && at[15] == 5));
    for (u32 i = 0; i < PEERS - 1; i++) { // none of which sends here
        mac_make(own_mac, i);
        ASSERT(memcmp(at + 6, own_mac, 6) != 0);
    }
}

static void pick_up(u32 peer)
{
    struct mailbox *m = port_mailbox(peers[peer]);
    struct letter  *l;

    mailbox_look(m);
    while ((l = mailbox_take(m))) {
        letter_check(peer, l);
        mailbox_free(m, l);
    }
}

static u32 frame_make(struct bytes *b)
{
    u32 how = (u32)bytes_take(b, 1), len = (u32)bytes_take(b, 2) % 1600;

    for (u32 i = 0; i < 24; i++)
        frame[i] = (u8)bytes_take(b, 1);
    if (how & 1)
        mac_make(frame, how >> 4);
    if (how & 2)
        mac_make(frame + 6, how & 8 ? 9 : how >> 4);
    if (how & 4)
        frame[12] = 0x81, frame[13] = 0;
    return len;
}

static void from_card(struct bytes *b)
{
    struct seg       s = { .at = hpa((u64)frame), .len = frame_make(b) };
    struct net_frame f = { .at = { &s, 1, 0 }, .len = s.len };
    u64              when;
    u32              work = 0;

    while (port_send(peers[PEERS - 1], &f, &when, &work) == PORT_MORE)
        ;
}

static void put16(u8 *at, u32 value)
{
    at[0] = (u8)(value >> 8);
    at[1] = (u8)value;
}

// What the driver leaves to the card: anything, or what is right for a TCP segment, to which the
// frame's first bytes are made; then one of the bytes is another.
static struct net_hdr hdr_make(struct bytes *b, u8 *f)
{
    u64            how = bytes_take(b, 1);
    bool           v6  = how & 4;
    u32            tcp = ETH_SIZE + (v6 ? 40 : 20 + 4 * (how >> 3 & 3));
    struct net_hdr h   = { 0 };

    if (!(how & 1)) {
        for (u32 i = 0; i < sizeof h && how & 2; i++)
            ((u8 *)&h)[i] = (u8)bytes_take(b, 1);
        return h;
    }
    h = (struct net_hdr){ HDR_NEEDS_CSUM,  v6 ? GSO_TCPV6 : GSO_TCPV4,
                          (u16)(tcp + 20), (u16)bytes_take(b, how & 2 ? 1 : 2),
                          (u16)tcp,        16 };
    mac_make(f, (u32)bytes_take(b, 1) % PEERS);
    mac_make(f + 6, 9);
    put16(f + 12, v6 ? 0x86dd : 0x0800);
    f[ETH_SIZE]                = v6 ? 0x60 : (u8)(0x40 | (tcp - ETH_SIZE) / 4);
    f[ETH_SIZE + (v6 ? 6 : 9)] = 6;
    f[tcp + 12]                = 0x50;
    if (how & 0x40)
        ((u8 *)&h)[bytes_take(b, 1) % sizeof h] = (u8)bytes_take(b, 1);
    if (how & 0x80)
        f[bytes_take(b, 1) % 80] = (u8)bytes_take(b, 1);
    return h;
}

static void from_guest(struct bytes *b)
{
    u32            len = frame_make(b), at = (u32)bytes_take(b, 2) & 0x7fff;
    u8            *to = (u8 *)gmem_to_host(&r->vm, gpa(ROOM + at)).a;
    struct net_hdr h;

    memcpy(to + 12, frame, 80);
    h = hdr_make(b, to + 12);
    memcpy(to, &h, sizeof h);
    len = h.gso_type ? (u32)bytes_take(b, 2) + (u32)bytes_take(b, 1) : len;
    driver_desc(&queues[1], queues[1].desc, 0, ROOM + at, len + 12, 0, 0);
    driver_offer(&queues[1], 0);
    driver_notify(&queues[1]);
}

// Somebody else stands there now, who takes more or less.
static void peer_open(u32 peer, u32 takes)
{
    port_close(peers[peer]);
    takes_of[peer] = peer == PEERS - 1 || !(takes & TAKES_CSUM) ? 0 : takes;
    port_open(peers[peer], takes_of[peer], woken, NULL);
}

static void desc_make(struct bytes *b)
{
    struct driver *q   = &queues[bytes_below(b, 2)];
    u64            at  = bytes_below(b, 2) ? ROOM + bytes_take(b, 2) : bytes_odd(b);
    u32            len = (u32)(bytes_below(b, 2) ? bytes_take(b, 2) : bytes_odd(b));

    driver_desc(q, q->desc, (u32)bytes_below(b, 64), at, len, (u16)bytes_below(b, 8),
                (u16)bytes_below(b, 64));
}

static void driver_begin(u64 features)
{
    (void)driver_negotiate(&queues[0], features | VIRTIO_F_VERSION_1);
    for (u32 i = 0; i < 2; i++) {
        queues[i] = (struct driver){ .r = r, .base = VIRTIO_BASE(1), .size = 64, .queue = i };
        driver_queue(&queues[i], RINGS + 0x4000ul * i);
    }
    driver_put(&queues[0], V_STATUS, 15);
}

static void step(struct bytes *b)
{
    u64 value;

    switch (bytes_below(b, 10)) {
    case 0:
        fake_hart.time += bytes_take(b, 3);
        bus_tick(&r->vm.bus, fake_hart.time);
        break;
    case 1: desc_make(b); break;
    case 2: driver_offer(&queues[bytes_below(b, 2)], (u16)bytes_below(b, 64)); break;
    case 3: driver_notify(&queues[bytes_below(b, 2)]); break;
    case 4: from_card(b); break;
    case 5: from_guest(b); break;
    case 6: pick_up((u32)bytes_below(b, PEERS)); break;
    case 7: peer_open((u32)bytes_below(b, PEERS), (u32)bytes_below(b, 8)); break;
    case 8:
        value = bytes_take(b, 4);
        (void)rig_access(r, VIRTIO_BASE(1) + (bytes_take(b, 2) & 0x1ff & ~3ul), 4, true, &value);
        break;
    default: driver_begin(driver_features(&queues[0]) & bytes_take(b, 8)); break;
    }
    bus_answer_kicks(&r->vm.bus);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct bytes b = { data, size };

    if (!r)
        world_make();
    fake_hart.time = 1000;
    vm_reset(&r->vm);
    queues[0] = (struct driver){ .r = r, .base = VIRTIO_BASE(1), .size = 64 };
    driver_begin(driver_features(&queues[0]));
    for (u32 i = 0; i < PEERS; i++)
        peer_open(i, (u32)bytes_below(&b, 8));
    while (b.left)
        step(&b);
    for (u32 i = 0; i < 64; i++)
        bus_tick(&r->vm.bus, fake_hart.time += machine.timebase_hz);
    for (u32 i = 0; i < PEERS; i++)
        pick_up(i);
    return 0;
}

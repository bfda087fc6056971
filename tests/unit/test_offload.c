// SPDX-License-Identifier: MIT
// Large TCP segments and checksums: what a receiver gets must be what a sender that cuts and sums
// itself would have sent.
#include "unit.h"

#include "dev/machine.h"
#include "dev/net.h"
#include "dev/offload.h"
#include "rig/net.h"

#define RAM_SIZE (16 * MIB)
#define HZ       10000000

static u8              *ram;
static struct net_port *from, *to;
static const u8         from_mac[6] = { 0x52, 0x54, 0, 0, 0, 1 };
static const u8         to_mac[6]   = { 0x52, 0x54, 0, 0, 0, 2 };

void machine_forget(void);

static void woken(void *arg)
{
    (void)arg;
}

static int setup_with(u32 takes, u16 vlan, bool to_card)
{
    struct port_config c = { .vlan = vlan };

    bench_reset();
    machine_forget();
    switch_forget();
    ram                 = aligned_alloc(PAGE_SIZE, RAM_SIZE);
    machine.ram[0]      = (struct range){ (u64)ram, RAM_SIZE };
    machine.n_ram       = 1;
    machine.timebase_hz = HZ;
    memcpy(c.mac, from_mac, 6);
    assert_null(switch_port_add("from", &c, &from));
    memcpy(c.mac, to_mac, 6);
    assert_null(to_card ? switch_card_add("to", c.mac, &to) : switch_port_add("to", &c, &to));
    port_open(to, takes, woken, NULL);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return setup_with(0, 0, false);
}

static int teardown(void **state)
{
    (void)state;
    free(ram);
    return 0;
}

// Slow and plain: RFC 1071 by bytes, in the network's order.
static u32 sum_plain(u32 sum, const u8 *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? at[i] : (u32)at[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static u8  frame[70000];
static u32 tcp_at, headers;

static void put16(u8 *at, u32 value)
{
    at[0] = (u8)(value >> 8);
    at[1] = (u8)value;
}

static void put32(u8 *at, u32 value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

static u32 get16(const u8 *at)
{
    return (u32)at[0] << 8 | at[1];
}

static u32 get32(const u8 *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static u32 pseudo(const u8 *ip, bool v6, u32 tcp_len)
{
    u8 last[4] = { 0, 6 };

    put16(last + 2, tcp_len);
    return sum_plain(sum_plain(0, ip + (v6 ? 8 : 12), v6 ? 32 : 8), last, 4);
}

// A segment as a driver hands it over: the checksum is that of the pseudo header.
static u32 segment_make(bool v6, u32 ip_size, u32 tcp_size, u32 payload)
{
    u8 *ip = frame + 14, *tcp;

    memset(frame, 0, sizeof frame);
    memcpy(frame, to_mac, 6);
    memcpy(frame + 6, from_mac, 6);
    put16(frame + 12, v6 ? 0x86dd : 0x0800);
    tcp_at  = 14 + ip_size;
    headers = tcp_at + tcp_size;
    for (u32 i = 14; i < headers + payload; i++)
        frame[i] = (u8)(i * 31 + i / 256);
    ip[0] = (u8)(v6 ? 0x60 : 0x40 | ip_size / 4);
    if (v6) {
        put16(ip + 4, tcp_size + payload);
        ip[6] = 6;
    } else {
        put16(ip + 2, ip_size + tcp_size + payload);
        put16(ip + 4, 0xfffe); // so that the number wraps
        ip[9] = 6;
        put16(ip + 10, 0);
        put16(ip + 10, ~sum_plain(0, ip, ip_size));
    }
    tcp = frame + tcp_at;
    put32(tcp + 4, 0xfffff000);
    tcp[12] = (u8)(tcp_size / 4 << 4);
    tcp[13] = 0x99; // CWR, ACK, PSH, FIN
    put16(tcp + 16, pseudo(ip, v6, tcp_size + payload));
    return headers + payload;
}

static struct net_hdr hdr_of(bool v6, u16 size)
{
    return (struct net_hdr){ .flags       = HDR_NEEDS_CSUM,
                             .gso_type    = v6 ? GSO_TCPV6 : GSO_TCPV4,
                             .hdr_len     = (u16)headers,
                             .gso_size    = size,
                             .csum_start  = (u16)tcp_at,
                             .csum_offset = 16 };
}

static void frame_send(u32 len, struct net_hdr h)
{
    struct seg       segs[3] = { { .at = hpa((u64)frame), .len = 37 },
                                 { .at = hpa((u64)frame + 37), .len = 1000 },
                                 { .at = hpa((u64)frame + 1037), .len = len - 1037 } };
    struct net_frame f       = { .at = { segs, 3, 0 }, .len = len, .hdr = h };
    u64              when;
    u32              work;

    if (len <= 1037) {
        segs[0].len = len;
        f.at.n      = 1;
    }
    for (enum port_answer answer = PORT_MORE; answer == PORT_MORE;) {
        work   = 0;
        answer = port_send(from, &f, &when, &work);
        assert_true(work <= 64 * KIB);
    }
}

static u8             got[70000];
static struct net_hdr got_hdr;
static u32            receive(void)
{
    return port_take(to, got, &got_hdr);
}

// A packet, as the network would see it, with payload [off, off + n) of the frame's.
static void packet_check(u32 len, u32 skip, bool v6, u32 off, u32 n, bool last, u32 number)
{
    u8 *ip = got + 14 + skip, *tcp = got + tcp_at + skip;
    u32 ip_size = tcp_at - 14, tcp_len = headers - tcp_at + n;

    EXPECT_EQ(len, headers + skip + n, "its length, at %u", off);
    assert_memory_equal(got + headers + skip, frame + headers + off, n);
    EXPECT_EQ(get32(tcp + 4), (u32)(0xfffff000 + off), "sequence number");
    EXPECT_EQ(tcp[13], 0x10 | (off ? 0 : 0x80) | (last ? 0x09 : 0), "flags");
    if (v6)
        EXPECT_EQ(get16(ip + 4), tcp_len, "length");
    else {
        EXPECT_EQ(get16(ip + 2), ip_size + tcp_len, "length");
        EXPECT_EQ(get16(ip + 4), (0xfffe + number) & 0xffff, "identification");
        EXPECT_EQ(sum_plain(0, ip, ip_size), 0xffff, "IP's checksum");
    }
    if (got_hdr.flags)
        EXPECT_EQ(get16(tcp + 16), pseudo(ip, v6, tcp_len), "the pseudo header's sum");
    else
        EXPECT_EQ(sum_plain(pseudo(ip, v6, tcp_len), tcp, tcp_len), 0xffff, "TCP's checksum");
}

static void cut_case(bool v6, u32 ip_size, u32 tcp_size, u32 payload, u16 size, u32 skip)
{
    u32 len = segment_make(v6, ip_size, tcp_size, payload), off = 0, number = 0;

    frame_send(len, hdr_of(v6, size));
    for (; off < payload; number++) {
        u32 n = (u32)min_u64(size, payload - off);

        packet_check(receive(), skip, v6, off, n, off + n == payload, number);
        EXPECT_EQ(got_hdr.flags + got_hdr.gso_type, 0, "nothing is left to be done");
        off += n;
    }
    EXPECT_EQ(receive(), 0, "no more");
}

TEST(cut_for_who_takes_nothing)
{
    static const u32 payloads[] = { 1, 1447, 1448, 1449, 2896, 5000, 20001, 65535 - 60 - 60 };

    for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
        cut_case(false, 20, 32, payloads[i], 1448, 0);
        cut_case(false, 60, 60, payloads[i], 1380, 0);
        cut_case(true, 40, 20, payloads[i], 1440, 0);
    }
    cut_case(false, 20, 20, 3000, 48, 0);
}

TEST(cut_and_tagged_for_a_card)
{
    teardown(NULL);
    setup_with(0, 7, true);
    cut_case(false, 20, 32, 10001, 1448, 4);
    cut_case(true, 40, 32, 10001, 1428, 4);
}

TEST(whole_for_who_takes_it)
{
    u32 len;

    teardown(NULL);
    setup_with(TAKES_CSUM | TAKES_TCPV4, 0, false);
    len = segment_make(false, 20, 32, 30000);
    frame_send(len, hdr_of(false, 1448));
    packet_check(receive(), 0, false, 0, 30000, true, 0);
    EXPECT_EQ(got_hdr.gso_type, GSO_TCPV4, "still large");
    EXPECT_EQ(got_hdr.gso_size, 1448, "size");
    EXPECT_EQ(got_hdr.hdr_len, headers, "headers");
    EXPECT_EQ(got_hdr.flags, HDR_NEEDS_CSUM, "its checksum is left to be done");
    EXPECT_EQ(got_hdr.csum_start, tcp_at, "from where");

    len = segment_make(false, 20, 32, 65000); // too large for one letter
    frame_send(len, hdr_of(false, 1448));
    for (u32 off = 0, part = 32768 / 1448 * 1448; off < 65000; off += part) {
        u32 n = (u32)min_u64(part, 65000 - off);

        packet_check(receive(), 0, false, off, n, off + n == 65000, off / 1448);
        EXPECT_EQ(got_hdr.gso_type, n > 1448 ? GSO_TCPV4 : 0, "still large");
    }
    EXPECT_EQ(receive(), 0, "no more");

    len = segment_make(true, 40, 32, 3000); // it takes no IPv6 ones
    frame_send(len, hdr_of(true, 1428));
    for (u32 off = 0; off < 3000; off += 1428) {
        packet_check(receive(), 0, true, off, (u32)min_u64(1428, 3000 - off), off == 2856, 0);
        EXPECT_EQ(got_hdr.gso_type, 0, "cut");
        EXPECT_EQ(got_hdr.flags, HDR_NEEDS_CSUM, "but checksums it takes");
    }
}

// Every start and length: even and odd, at every place of the buffer.
TEST(checksums_of_packets)
{
    for (u32 start = 14; start < 60; start++)
        for (u32 len = start + 2; len < start + 40; len += 3) {
            struct net_hdr h = { .flags = HDR_NEEDS_CSUM, .csum_start = (u16)start };
            u32            sum;

            (void)segment_make(false, 20, 20, 100);
            sum = ~sum_plain(0, frame + start, len - start) & 0xffff;
            frame_send(len, h);
            EXPECT_EQ(receive(), len, "length");
            EXPECT_EQ(get16(got + start), sum ? sum : 0xffff, "sum of [%u, %u)", start, len);
        }
}

static void expect_refused(const char *what, u32 len, struct net_hdr h)
{
    u64 before = port_drops(0, DROP_HEADER);

    frame_send(len, h);
    EXPECT_EQ(port_drops(0, DROP_HEADER) > before, true, "%s", what);
    EXPECT_EQ(receive(), 0, "%s", what);
}

#define REFUSED(change)                                                                            \
    do {                                                                                           \
        u32            len = segment_make(false, 20, 20, 5000);                                    \
        struct net_hdr h   = hdr_of(false, 1460);                                                  \
                                                                                                   \
        change;                                                                                    \
        expect_refused(#change, len, h);                                                           \
    } while (0)

TEST(nonsense_is_refused)
{
    REFUSED(h.flags = 0);
    REFUSED(h.gso_type = 2);
    REFUSED(h.gso_type = 3);
    REFUSED(h.gso_type = 0x85);
    REFUSED(h.gso_type = GSO_ECN);
    REFUSED(h.gso_type |= GSO_ECN);
    REFUSED(h.gso_type = GSO_TCPV6);
    REFUSED(h.gso_size = 0);
    REFUSED(h.gso_size = 47);
    REFUSED(h.gso_size = 1461); // with 54 bytes of headers it is longer than a frame
    REFUSED(h.gso_size = 4000);
    REFUSED(h.gso_size = 32769); // more than is handed over at a time
    REFUSED(h.gso_size = 65535);
    REFUSED(h.csum_start = 33);
    REFUSED(h.csum_start = 0xffff);
    REFUSED(h.csum_offset = 6);
    REFUSED(h.csum_offset = 0xffff);
    REFUSED(len = headers);
    REFUSED(len = 20);
    REFUSED(frame[12] = 9);
    REFUSED(frame[14] = 0x55);
    REFUSED(frame[14] = 0x44);
    REFUSED(frame[14] = 0x4f);
    REFUSED(frame[23] = 17);
    REFUSED(frame[46] = 0x40);
    REFUSED(memset(frame, 255, 6)); // TCP to all
    REFUSED((h = (struct net_hdr){ .flags = 1, .csum_start = 13 }, len = 60));
    REFUSED((h = (struct net_hdr){ .flags = 1, .csum_start = 50, .csum_offset = 9 }, len = 60));
    REFUSED((h = (struct net_hdr){ .flags = 1, .csum_start = 0xffff, .csum_offset = 0xffff },
             len = 60));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(cut_for_who_takes_nothing), RUN_ON_RIG(cut_and_tagged_for_a_card),
        RUN_ON_RIG(whole_for_who_takes_it),    RUN_ON_RIG(checksums_of_packets),
        RUN_ON_RIG(nonsense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

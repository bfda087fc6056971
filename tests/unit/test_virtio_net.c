// SPDX-License-Identifier: MIT
// The machine's network card: the driver against a model of the device, modern and legacy, that
// also misbehaves; a test stands at the switch's other ports.
#include "dev/virtio.h"

#include "dev/machine.h"
#include "dev/net.h"
#include "rig/card.h"
#include "rig/disk.h"
#include "rig/mmio.h"
#include "rig/net.h"
#include "rig/trees.h"
#include "unit.h"

enum { RX, TX };

#define HEADER     (card.version == 1 ? 10u : 12u)
#define BUFFERS    (card.accepts & VIRTIO_F_INDIRECT ? 64u : 32u) // the card has, when all is well
#define PEERS      12
#define HELD_MAX   300
#define TAGGED_MAX (FRAME_MAX + 4)
#define F_MAC      BIT(5)

static u8   tree[4096] __attribute__((aligned(8)));
static char said[2000];

static struct card_model card;
static struct net_port  *peers[PEERS];
static bool              is_deaf; // the device sends nothing
static unsigned          n_sent, n_wrong, expected_len;
static u32               expected_number;
static const u8          card_mac[6]  = { 0x52, 0x54, 0, 9, 9, 9 };
static const u8          other_mac[6] = { 0x52, 0x54, 0, 9, 9, 1 }; // behind the card

static void say(const char *who, const char *what)
{
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s: %s\n", who, what);
}

static int teardown(void **state)
{
    (void)state;
    switch_forget();
    cards_forget();
    virtio_forget();
    ram_free();
    return 0;
}

static void woken(void *arg)
{
    (void)arg;
}

static void peer_mac(u8 *mac, u32 n)
{
    memcpy(mac, (u8[6]){ 0x52, 0x54, 0, 1, 1, (u8)n }, 6);
}

static u8 byte_of(u32 number, u32 i)
{
    return (u8)(number * 31 + i * 7 + i / 256);
}

static void frame_make(u8 *f, const u8 *to, const u8 *from, u32 number, u32 len)
{
    memcpy(f, to, 6);
    memcpy(f + 6, from, 6);
    memcpy(f + 12, "\x88\xb5", 2);
    for (u32 i = ETH_SIZE; i < len; i++)
        f[i] = byte_of(number, i);
}

// --- the device ---

// What it is told to send: a header of zeros and a frame; those of peer 0 are numbered.
static void one_send(const struct card_chain *k)
{
    u8       all[2048];
    unsigned n = 0;

    EXPECT_EQ(k->n_out, k->n, "all is the device's to read");
    for (unsigned i = 0; i < k->n; n += k->pieces[i++].len)
        memcpy(all + n, k->pieces[i].at, k->pieces[i].len);
    if (card.version == 1)
        EXPECT_EQ(k->pieces[0].len, HEADER, "the header stands apart (5.1.6.6)");
    for (u32 i = 0; i < HEADER; i++)
        EXPECT_EQ(all[i], 0, "byte %u of the header", i);
    if (expected_len)
        EXPECT_EQ(n - HEADER, expected_len, "length of a frame");
    for (u32 i = HEADER + ETH_SIZE; i < n; i++)
        n_wrong += all[i] != byte_of(expected_number, i - HEADER);
    expected_number++;
    n_sent++;
    card_push(&card, TX, k->head, 0);
}

static void net_serve(struct card_model *c, u32 queue)
{
    struct card_chain k;

    while (queue == TX && !is_deaf && card_pop(c, TX, &k))
        one_send(&k);
}

static void machine_make(u32 version, u64 features)
{
    bench_reset();
    machine_forget();
    mmio_forget();
    switch_forget();
    cards_forget();
    virtio_forget();
    machine.timebase_hz = 10000000;
    machine.n_ram       = 1;
    machine.ram[0]      = (struct range){ (u64)ram_make(16 * MIB), 16 * MIB };
    said[0]             = 0;
    is_deaf             = false;
    n_sent = n_wrong = expected_len = expected_number = 0;
    card                                              = (struct card_model){ .base      = 0x10008000,
                                                                             .irq       = 8,
                                                                             .version   = version,
                                                                             .id        = VIRTIO_ID_NET,
                                                                             .queue_max = 256,
                                                                             .serve     = net_serve,
                                                                             .offers    = features | F_MAC | BIT(15) | BIT(0) | BIT(7) };
    if (version == 2)
        card.offers |= VIRTIO_F_VERSION_1;
    memcpy(card.config, card_mac, 6);
}

static void peers_make(u32 n)
{
    struct port_config c = { 0 };

    for (u32 i = 0; i < n; i++) {
        peer_mac(c.mac, i);
        assert_null(switch_port_add("peer", &c, &peers[i]));
        port_open(peers[i], 0, woken, NULL);
    }
}

static void card_begin(u32 version, u64 features)
{
    machine_make(version, features);
    assert_true(virtio_probe(tree, card_attach(&card, tree, sizeof tree)));
    virtio_start(say);
    peers_make(PEERS);
    EXPECT_EQ(card.status & VIRTIO_DRIVER_OK, VIRTIO_DRIVER_OK, "%s", said);
    EXPECT_EQ(card.accepts & (BIT(0) | BIT(7) | BIT(15)), 0, "what is not known is not taken");
}

static u32 free_buffers(void)
{
    const struct card_queue  *q     = &card.queues[RX];
    const struct vring_avail *avail = (struct vring_avail *)q->avail;

    return (u16)(avail->idx - q->next_avail);
}

// The device has received something: a header, and `len` bytes of the frame; it says `told`.
static void receive(const u8 *frame, u32 len, u32 told)
{
    struct card_chain k;
    u32               done = 0;

    assert_true(card_pop(&card, RX, &k));
    EXPECT_EQ(k.n_out, 0, "all is the device's to write");
    if (card.version == 1)
        EXPECT_EQ(k.pieces[0].len, HEADER, "the header stands apart (5.1.6.6)");
    for (unsigned i = 0; i < k.n; i++)
        for (u32 b = 0; b < k.pieces[i].len && done < HEADER + len; b++, done++)
            k.pieces[i].at[b] = done < HEADER ? 0xee : frame[done - HEADER];
    EXPECT_EQ(done, HEADER + len, "room for a frame");
    card_push(&card, RX, k.head, told);
}

static void frame_receive(const u8 *frame, u32 len)
{
    receive(frame, len, HEADER + len);
}

// A frame in the peer's mailbox; its length, or 0.
static u32 peer_take(u32 peer, u8 *to)
{
    return port_take(peers[peer], to, NULL);
}

static void peer_send(const u8 *to, u32 number, u32 len)
{
    static u8        f[2048];
    u8               mac[6];
    struct seg       s     = { .at = hpa((u64)f), .len = len };
    struct net_frame frame = { .at = { &s, 1, 0 }, .len = len };
    u64              when;
    u32              work = 0;

    peer_mac(mac, 0);
    frame_make(f, to, mac, number, len);
    while (port_send(peers[0], &frame, &when, &work) == PORT_MORE)
        ;
}

static struct port_report report(void)
{
    struct port_report p = { 0 };

    assert_true(switch_port(0, &p));
    EXPECT_EQ(p.is_card, true, "the first port is the card's");
    return p;
}

static const struct {
    u32 version;
    u64 features;
} kinds[] = {
    { 1, 0 },
    { 1, VIRTIO_F_INDIRECT },
    { 1, VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX },
    { 2, 0 },
    { 2, VIRTIO_F_EVENT_IDX },
    { 2, VIRTIO_F_INDIRECT },
    { 2, VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX },
};

// --- all is well ---

// Frames of all lengths, through the ring's end again and again, none changed.
TEST(what_it_receives_arrives)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        u8 mac[6], f[2048], got[2048];

        card_begin(kinds[i].version, kinds[i].features);
        peer_mac(mac, 3);
        for (u32 n = 0; n < 400; n++) {
            u32 len = ETH_SIZE + n * 37 % (FRAME_MAX - ETH_SIZE + 1);

            frame_make(f, mac, other_mac, n, len);
            EXPECT_EQ(free_buffers(), BUFFERS, "kind %zu, frame %u", i, n);
            frame_receive(f, len);
            assert_true(card_interrupt(&card));
            EXPECT_EQ(peer_take(3, got), len, "kind %zu, frame %u", i, n);
            assert_memory_equal(got, f, len);
        }
        EXPECT_EQ(peer_take(3, got), 0, "once");
        EXPECT_EQ(report().sent_frames, 400, "counted");
        teardown(NULL);
    }
}

TEST(what_is_sent_to_it_it_sends)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        card_begin(kinds[i].version, kinds[i].features);
        for (u32 n = 0; n < 1000; n++) {
            expected_len = ETH_SIZE + n * 37 % (FRAME_MAX - ETH_SIZE + 1);
            peer_send(other_mac, n, expected_len);
            (void)card_interrupt(&card);
            EXPECT_EQ(n_sent, n + 1, "kind %zu, frame %u", i, n);
        }
        EXPECT_EQ(n_wrong, 0, "bytes, kind %zu", i);
        peer_send(other_mac, 1000, 60 + (expected_len = 0));
        EXPECT_EQ(report().received_frames, 1000, "those that are known to be over");
        teardown(NULL);
    }
}

// The ring is full: what waits goes on, in order, when the card says that it has sent something.
TEST(a_card_that_is_slow)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        unsigned turns = 0;

        card_begin(kinds[i].version, kinds[i].features);
        is_deaf = true;
        for (u32 n = 0; n < 200; n++)
            peer_send(other_mac, n, 300);
        EXPECT_EQ(n_sent, 0, "nothing yet");
        is_deaf = false;
        for (; n_sent < 200 && turns < 200; turns++) {
            struct card_chain k;

            for (u32 n = 0; n < 7 && card_pop(&card, TX, &k); n++)
                one_send(&k);
            (void)card_interrupt(&card);
        }
        EXPECT_EQ(n_sent, 200, "kind %zu", i);
        EXPECT_EQ(n_wrong, 0, "in order, kind %zu", i);
        EXPECT_EQ(report().drops[DROP_FULL], 0, "none lost");
        teardown(NULL);
    }
}

// To all of many: the interrupt does a part of it, and comes again for the rest.
TEST(a_frame_to_all)
{
    static const u8 all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
    u8              f[200], got[2048];

    card_begin(2, VIRTIO_F_EVENT_IDX);
    frame_make(f, all, other_mac, 1, sizeof f);
    frame_receive(f, sizeof f);
    assert_true(card_interrupt(&card));
    EXPECT_EQ(irq_is_again(card.irq), true, "there is more to do");
    EXPECT_EQ(peer_take(PEERS - 1, got), 0, "not yet");
    assert_true(irq_raise(card.irq));
    EXPECT_EQ(irq_is_again(card.irq), false, "all is done");
    for (u32 n = 0; n < PEERS; n++)
        EXPECT_EQ(peer_take(n, got), sizeof f, "peer %u", n);
    EXPECT_EQ(free_buffers(), BUFFERS, "the buffer is back");
}

// Many at once are handed on a few at a time, and all of them.
TEST(many_at_once)
{
    u8       mac[6], f[FRAME_MAX], got[2048];
    unsigned turns = 1;

    card_begin(2, VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX);
    peer_mac(mac, 2);
    for (u32 n = 0; n < BUFFERS; n++) {
        frame_make(f, mac, other_mac, n, FRAME_MAX);
        frame_receive(f, FRAME_MAX);
    }
    EXPECT_EQ(free_buffers(), 0, "it has filled them all");
    assert_true(card_interrupt(&card));
    for (; irq_is_again(card.irq) && turns < BUFFERS; turns++)
        assert_true(irq_raise(card.irq));
    assert_true(turns > 3 && turns < BUFFERS / 2);
    for (u32 n = 0; n < BUFFERS; n++) {
        EXPECT_EQ(peer_take(2, got), FRAME_MAX, "frame %u", n);
        EXPECT_EQ(got[20], byte_of(n, 20), "in order");
    }
    EXPECT_EQ(free_buffers(), BUFFERS, "all are back");
}

// For a second, so many at a time, as quickly as they are taken.  The hart belongs to the guests half
// of the time, though each stay is short; and nothing is lost of what the card had buffers for.
static void flood_expect(u32 at_a_time)
{
    u64      begin, spent = 0;
    u8       mac[6], f[64], got[2048];
    unsigned n = 0, taken = 0;

    card_begin(2, VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX);
    chips.clock_step = 20; // 2 us from one look at the clock to the next
    fake_hart.time   = begin = 1000000;
    peer_mac(mac, 2);
    frame_make(f, mac, other_mac, 0, sizeof f);
    while (fake_hart.time < begin + machine.timebase_hz) {
        u64 before = fake_hart.time;

        for (u32 i = 0; i < at_a_time && free_buffers(); i++, n++)
            frame_receive(f, sizeof f);
        irq_raise(card.irq);
        spent += fake_hart.time - before - chips.clock_step; // from its first look at the clock on
        while (peer_take(2, got))
            taken++;
        if (irq_is_again(card.irq) && irq_again_from(card.irq) > fake_hart.time)
            fake_hart.time = irq_again_from(card.irq);
    }
    assert_true(spent > machine.timebase_hz * 3 / 10);
    assert_true(spent < machine.timebase_hz * 51 / 100);
    assert_true(taken > 1000 && taken + BUFFERS >= n);
    teardown(NULL);
}

TEST(a_flood_has_half_of_the_time)
{
    flood_expect(BUFFERS);
    flood_expect(2); // none is left over, and the next come at once
}

// What took long because the computer beneath did something else is not counted against it.
TEST(a_stay_that_was_interrupted_closes_nothing_for_long)
{
    u8 mac[6], f[64];

    card_begin(2, VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX);
    peer_mac(mac, 2);
    frame_make(f, mac, other_mac, 0, sizeof f);
    chips.clock_step = machine.timebase_hz / 10;
    for (unsigned i = 0; i < 10; i++) {
        frame_receive(f, sizeof f);
        assert_true(card_interrupt(&card));
        EXPECT_EQ(irq_is_again(card.irq), false, "stay %u", i);
    }
}

// --- frames that are none ---

// Whatever length it tells, and whatever it has written: the buffer comes back, and nobody gets
// what is no frame.
TEST(no_buffer_is_lost)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        u64 seed = 11 + i;
        u8  f[TAGGED_MAX], mac[6], got[2048];

        card_begin(kinds[i].version, kinds[i].features);
        for (u32 n = 0; n < 2000; n++) {
            u32 len = (u32)dice_below(&seed, n % 2 ? 40 : TAGGED_MAX + 1), got_len;

            peer_mac(mac, (u32)dice_below(&seed, 20));
            frame_make(f, mac, n % 3 ? other_mac : mac, n, TAGGED_MAX);
            if (dice_below(&seed, 4) == 0)
                memcpy(f + 12, "\x81\0\0", 3);
            receive(f, len, (u32)dice_below(&seed, HEADER + len + 1));
            for (u32 turn = 0; turn < 3; turn++)
                (void)card_interrupt(&card);
            EXPECT_EQ(free_buffers(), BUFFERS, "kind %zu, frame %u", i, n);
            for (u32 p = 0; p < PEERS; p++)
                while ((got_len = peer_take(p, got)))
                    assert_true(got_len >= ETH_SIZE && got_len <= FRAME_MAX);
        }
        assert_true(report().drops[DROP_SHORT] > 100 && report().drops[DROP_SPOOFED] > 100);
        teardown(NULL);
    }
}

// Legacy devices may tell a wrong length (2.7.8.3): no more is believed than there is room for.
TEST(a_wrong_length_of_a_legacy_device)
{
    u8 f[100], mac[6], got[2048];

    card_begin(1, 0);
    peer_mac(mac, 1);
    frame_make(f, mac, other_mac, 1, sizeof f);
    receive(f, sizeof f, 0x10000);
    assert_true(card_interrupt(&card));
    EXPECT_EQ(peer_take(1, got), 0, "too long for a frame");
    EXPECT_EQ(report().drops[DROP_LONG], 1, "counted");
    EXPECT_EQ(free_buffers(), BUFFERS, "it is back");
    frame_receive(f, sizeof f);
    assert_true(card_interrupt(&card));
    EXPECT_EQ(peer_take(1, got), sizeof f, "and it goes on");
}

// --- devices that break the rules ---

static struct card_chain held;

static void rx_idx_jumps(void)
{
    card_used(&card, RX)->idx = (u16)(card_used(&card, RX)->idx + BUFFERS + 1);
}

static void rx_idx_runs_back(void)
{
    card_used(&card, RX)->idx--;
}

static void rx_id_too_large(void)
{
    card_push(&card, RX, 0xffff, 100);
}

static void tx_id_twice(void)
{
    struct card_chain k;

    assert_true(card_pop(&card, TX, &k));
    card_push(&card, TX, k.head, 0);
    card_push(&card, TX, k.head, 0);
}

static void rx_more_than_room(void)
{
    card_push(&card, RX, held.head, HEADER + TAGGED_MAX + 1);
}

static void tx_idx_jumps(void)
{
    card_used(&card, TX)->idx = (u16)(card_used(&card, TX)->idx + 130);
}

static void tx_id_of_nothing(void)
{
    card_push(&card, TX, 77, 0);
}

static void tx_writes(void) // into what it shall only read
{
    struct card_chain k;

    assert_true(card_pop(&card, TX, &k));
    card_push(&card, TX, k.head, 1);
}

static void needs_reset(void)
{
    card.status |= VIRTIO_NEEDS_RESET;
    card.interrupts |= VIRTIO_INT_CONFIG;
}

static void (*const evil[])(void) = {
    rx_idx_jumps, rx_idx_runs_back, rx_id_too_large, tx_id_twice, rx_more_than_room,
    tx_idx_jumps, tx_id_of_nothing, tx_writes,       needs_reset,
};

static void evil_begin(size_t i, bool no_reset)
{
    card_begin(2, i % 2 ? VIRTIO_F_EVENT_IDX : 0);
    is_deaf       = true;
    card.no_reset = no_reset;
    peer_send(other_mac, 0, 100);
    assert_true(card_pop(&card, RX, &held));
    evil[i]();
    card.interrupts |= VIRTIO_INT_USED;
    assert_true(card_interrupt(&card));
}

// It is reset; its port is closed; it is told nothing more; the VMs go on among themselves.
TEST(devices_that_break_the_rules)
{
    for (size_t i = 0; i < ARRAY_LEN(evil); i++) {
        u8       mac[6], got[2048];
        unsigned n_notified;

        machine_make(2, 0);
        evil_begin(i, false);
        EXPECT_EQ(card.status, 0, "reset, case %zu", i);
        EXPECT_EQ(report().open, false, "case %zu", i);
        EXPECT_EQ(report().waiting, 0, "case %zu", i);
        n_notified = card.n_notified;
        peer_send(other_mac, 1, 100);
        EXPECT_EQ(report().drops[DROP_CLOSED], 1, "case %zu", i);
        assert_true(irq_raise(card.irq));
        EXPECT_EQ(card.n_notified, n_notified, "case %zu", i);
        peer_mac(mac, 1);
        peer_send(mac, 2, 100);
        EXPECT_EQ(peer_take(1, got), 100, "case %zu", i);
        teardown(NULL);
    }
}

// It may still read what it was given: that stays where it is, and is nobody else's.
TEST(one_that_cannot_even_be_reset)
{
    for (size_t i = 0; i < ARRAY_LEN(evil); i++) {
        unsigned n_notified;

        machine_make(2, 0);
        evil_begin(i, true);
        assert_true(report().waiting >= 100);
        n_notified = card.n_notified;
        for (u32 n = 0; n < 20; n++) {
            peer_send(other_mac, n, 1500);
            card.interrupts = VIRTIO_INT_USED;
            assert_true(irq_raise(card.irq));
            EXPECT_EQ(card.interrupts, 0, "its line does not stay up, case %zu", i);
        }
        EXPECT_EQ(card.n_notified, n_notified, "case %zu", i);
        teardown(NULL);
    }
}

TEST(more_cards_than_there_are_places_for)
{
    machine_make(2, 0);
    for (u32 n = 0; n < 5; n++) {
        static struct card_model more[5];

        more[n]      = card;
        more[n].base = 0x10001000 + 0x1000ul * n;
        more[n].irq  = 1 + n;
        assert_true(virtio_probe(tree, card_attach(&more[n], tree, sizeof tree)));
    }
    virtio_start(say);
    assert_non_null(strstr(said, "too many network cards"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_it_receives_arrives, teardown),
        cmocka_unit_test_teardown(what_is_sent_to_it_it_sends, teardown),
        cmocka_unit_test_teardown(a_card_that_is_slow, teardown),
        cmocka_unit_test_teardown(a_frame_to_all, teardown),
        cmocka_unit_test_teardown(many_at_once, teardown),
        cmocka_unit_test_teardown(no_buffer_is_lost, teardown),
        cmocka_unit_test_teardown(a_wrong_length_of_a_legacy_device, teardown),
        cmocka_unit_test_teardown(devices_that_break_the_rules, teardown),
        RUN(a_flood_has_half_of_the_time),
        cmocka_unit_test_teardown(a_stay_that_was_interrupted_closes_nothing_for_long, teardown),
        cmocka_unit_test_teardown(one_that_cannot_even_be_reset, teardown),
        cmocka_unit_test_teardown(more_cards_than_there_are_places_for, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

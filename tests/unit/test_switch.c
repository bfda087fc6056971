// SPDX-License-Identifier: MIT
// The switch: who gets what, who may not, and what happens to those who send too much or do not
// pick up.
#include "unit.h"

#include "dev/learnt.h"
#include "dev/machine.h"
#include "dev/net.h"
#include "rig/net.h"

#define HZ       10000000
#define PORTS    9
#define RAM_SIZE (64 * MIB)

static u8 *ram;

// What stands at a port: an address, and how often it was woken.
static struct stand {
    struct net_port *port;
    u8               mac[6];
    unsigned         woken;
} at[80];

static const u8 everybody[6] = { 255, 255, 255, 255, 255, 255 };

void machine_forget(void);

static void woken(void *arg)
{
    ((struct stand *)arg)->woken++;
}

static void mac_make(u8 *mac, unsigned n)
{
    memcpy(mac, (u8[6]){ 0x52, 0x54, 0, 0, (u8)(n >> 8), (u8)n }, 6);
}

static struct stand *vm_add(unsigned n, u16 vlan, bool isolated, u64 rate)
{
    struct port_config c = { .vlan = vlan, .isolated = isolated, .bytes_per_s = rate };
    struct stand      *s = &at[n];

    mac_make(s->mac, n);
    memcpy(c.mac, s->mac, 6);
    assert_null(switch_port_add("vm", &c, &s->port));
    port_open(s->port, 0, woken, s);
    s->woken = 0;
    return s;
}

static struct stand *card_add(unsigned n)
{
    struct stand *s = &at[n];

    mac_make(s->mac, 0x1000 + n);
    assert_null(switch_card_add("card", s->mac, &s->port));
    port_open(s->port, 0, woken, s);
    s->woken = 0;
    return s;
}

static int setup(void **state)
{
    (void)state;
    bench_reset();
    machine_forget();
    switch_forget();
    memset(at, 0, sizeof at);
    ram                 = aligned_alloc(PAGE_SIZE, RAM_SIZE);
    machine.ram[0]      = (struct range){ (u64)ram, RAM_SIZE };
    machine.n_ram       = 1;
    machine.timebase_hz = HZ;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(ram);
    return 0;
}

static u8  frame_bytes[70000];
static u32 work;

static struct seg frame_seg;

static struct net_frame frame_of(u32 len)
{
    frame_seg = (struct seg){ .at = hpa((u64)frame_bytes), .len = len };
    return (struct net_frame){ .at = { &frame_seg, 1, 0 }, .len = len };
}

static u32 frame_make(const u8 *to, const u8 *from, u32 len)
{
    for (u32 i = 14; i < sizeof frame_bytes; i++)
        frame_bytes[i] = (u8)(i * 7 + len);
    memcpy(frame_bytes, to, 6);
    memcpy(frame_bytes + 6, from, 6);
    frame_bytes[12] = 8;
    frame_bytes[13] = 0;
    return len;
}

static enum port_answer send_bytes(struct stand *from, u32 len)
{
    struct net_frame     f    = frame_of(len);
    u64              when = 0;
    enum port_answer answer;

    do
        answer = port_send(from->port, &f, &when, &work);
    while (answer == PORT_MORE);
    return answer;
}

static enum port_answer send(struct stand *from, const u8 *to, u32 len)
{
    return send_bytes(from, frame_make(to, from->mac, len));
}

// Picks up one letter; its length, or 0.
static u8  got[70000];
static u32 receive(struct stand *s)
{
    return port_take(s->port, got, NULL);
}

static void expect_frame(struct stand *s, u32 len, const char *what)
{
    EXPECT_EQ(receive(s), len, "%s", what);
    assert_memory_equal(got, frame_bytes, len);
}

TEST(from_one_to_another_and_to_nobody_else)
{
    struct stand *a = vm_add(0, 0, false, 0), *b = vm_add(1, 0, false, 0),
                 *c = vm_add(2, 0, false, 0), *card = card_add(3);

    for (u32 len = ETH_SIZE; len <= FRAME_MAX; len++) {
        send(a, b->mac, len);
        expect_frame(b, len, "b");
        EXPECT_EQ(receive(b), 0, "twice");
    }
    EXPECT_EQ(receive(a) + receive(c) + receive(card), 0, "the others");
    EXPECT_EQ(c->woken, 0, "c slept");

    struct port_report r;

    assert_true(switch_port(0, &r));
    EXPECT_EQ(r.sent_frames, FRAME_MAX - ETH_SIZE + 1, "frames");
    assert_false(switch_port(4, &r));
}

TEST(to_all_means_all_others)
{
    struct stand *a = vm_add(0, 0, false, 0), *card = card_add(70);

    for (unsigned i = 1; i < 60; i++)
        vm_add(i, 0, false, 0);
    send(a, everybody, 100);
    for (unsigned i = 1; i < 60; i++)
        expect_frame(&at[i], 100, "a VM");
    expect_frame(card, 100, "the card");
    EXPECT_EQ(receive(a), 0, "the sender");
    send(a, (u8[6]){ 0x33, 0x33, 0, 0, 0, 1 }, 90);
    expect_frame(&at[5], 90, "a multicast");
}

// A frame to all 60 is not done in one go, and what is left is not done to an altered frame.
TEST(to_all_a_few_at_a_time)
{
    struct stand *a = vm_add(0, 0, false, 0);
    struct net_frame  f;
    u64           when  = 0;
    unsigned      turns = 0;

    for (unsigned i = 1; i < 60; i++)
        vm_add(i, 0, false, 0);
    frame_make(everybody, a->mac, FRAME_MAX);
    f    = frame_of(FRAME_MAX);
    work = 0;
    while (port_send(a->port, &f, &when, &work) == PORT_MORE) {
        assert_true(work <= WORK_MAX);
        work = 0;
        turns++;
        memset(frame_bytes + 6, (int)turns, 6); // the guest changes it meanwhile
    }
    assert_true(turns >= 7);
    for (unsigned i = 1; i < 60; i++) {
        EXPECT_EQ(receive(&at[i]), FRAME_MAX, "VM %u", i);
        assert_memory_equal(got + 6, a->mac, 6);
    }
}

TEST(too_short_too_long_and_from_another)
{
    struct stand *a = vm_add(0, 0, false, 0), *b = vm_add(1, 0, false, 0), *card = card_add(2);

    for (u32 len = 0; len < ETH_SIZE; len++)
        send(a, b->mac, len);
    EXPECT_EQ(port_drops(0, DROP_SHORT), ETH_SIZE, "short");
    send(a, b->mac, FRAME_MAX + 1);
    send(a, b->mac, 65550);
    EXPECT_EQ(port_drops(0, DROP_LONG), 2, "long");
    frame_make(everybody, b->mac, 60);
    send_bytes(a, 60);
    frame_make(b->mac, everybody, 60);
    send_bytes(a, 60);
    frame_make(b->mac, card->mac, 60);
    send_bytes(a, 60);
    EXPECT_EQ(port_drops(0, DROP_SPOOFED), 3, "spoofed");
    frame_make(b->mac, a->mac, 60); // the card cannot take a VM's address
    send_bytes(card, 60);
    frame_make(b->mac, everybody, 60);
    send_bytes(card, 60);
    EXPECT_EQ(port_drops(2, DROP_SPOOFED), 2, "spoofed from outside");
    EXPECT_EQ(receive(b) + receive(card), 0, "nothing came");
    EXPECT_EQ(port_drops(1, DROP_FULL) + port_drops(1, DROP_CLOSED), 0, "nor was it tried");
    send(a, b->mac, 60);
    expect_frame(b, 60, "b still gets its own");
}

// A frame that says it is longer than its pieces are.
TEST(pieces_that_end_early)
{
    struct stand *a = vm_add(0, 0, false, 0), *b = vm_add(1, 0, false, 0);
    struct net_frame  f;
    u64           when;

    frame_make(b->mac, a->mac, 60);
    f             = frame_of(60);
    frame_seg.len = 20;
    EXPECT_EQ(port_send(a->port, &f, &when, &work), PORT_DONE, "done");
    expect_frame(b, 20, "what there is, and nothing of an earlier letter");
    f             = frame_of(60);
    frame_seg.len = 10;
    EXPECT_EQ(port_send(a->port, &f, &when, &work), PORT_DONE, "done");
    EXPECT_EQ(port_drops(0, DROP_SHORT), 1, "short");
    EXPECT_EQ(receive(b), 0, "nothing");
}

TEST(to_nobody)
{
    struct stand *a = vm_add(0, 0, false, 0);

    vm_add(1, 0, false, 0);
    send(a, (u8[6]){ 0x52, 0x54, 0, 9, 9, 9 }, 60);
    send(a, a->mac, 60);
    EXPECT_EQ(port_drops(0, DROP_UNKNOWN), 2, "unknown, without a card; and itself");

    struct stand *card = card_add(2);

    send(a, (u8[6]){ 0x52, 0x54, 0, 9, 9, 9 }, 60);
    expect_frame(card, 60, "what no VM is, is outside");
    frame_make((u8[6]){ 0x52, 0x54, 0, 9, 9, 9 }, (u8[6]){ 2, 1, 1, 1, 1, 1 }, 60);
    send_bytes(card, 60);
    EXPECT_EQ(port_drops(2, DROP_UNKNOWN), 1, "not for us, and not sent back");
}

TEST(isolated_ones_see_the_card_alone)
{
    struct stand *a = vm_add(0, 0, true, 0), *b = vm_add(1, 0, false, 0), *card = card_add(2),
                 *d = vm_add(3, 0, true, 0);

    send(a, b->mac, 60);
    send(b, a->mac, 60);
    send(a, d->mac, 60);
    EXPECT_EQ(receive(a) + receive(b) + receive(d), 0, "not between VMs");
    EXPECT_EQ(port_drops(0, DROP_UNKNOWN), 2, "a's");
    send(a, everybody, 60);
    expect_frame(card, 60, "the card");
    EXPECT_EQ(receive(b) + receive(d), 0, "not even to all");
    send(b, everybody, 70);
    expect_frame(card, 70, "the card");
    EXPECT_EQ(receive(a), 0, "nor from one that is not");
    frame_make(a->mac, (u8[6]){ 2, 1, 1, 1, 1, 1 }, 60);
    send_bytes(card, 60);
    expect_frame(a, 60, "an answer from outside");
}

static void tag(u32 vlan, u32 type)
{
    memmove(frame_bytes + 16, frame_bytes + 12, 1600);
    frame_bytes[12] = (u8)(type >> 8);
    frame_bytes[13] = (u8)type;
    frame_bytes[14] = (u8)(vlan >> 8 | 0x60); // with a priority
    frame_bytes[15] = (u8)vlan;
}

TEST(vlans)
{
    static const u8 outside[6] = { 2, 1, 1, 1, 1, 1 };
    struct stand *a = vm_add(0, 7, false, 0), *b = vm_add(1, 7, false, 0), *c = vm_add(2, 8, false, 0),
                 *d = vm_add(3, 0, false, 0), *card = card_add(4);

    send(a, b->mac, 60);
    expect_frame(b, 60, "the same VLAN");
    send(a, c->mac, 60);
    send(a, d->mac, 60);
    send(d, a->mac, 60);
    EXPECT_EQ(receive(a) + receive(c) + receive(d), 0, "other VLANs");
    send(a, everybody, FRAME_MAX);
    EXPECT_EQ(receive(card), FRAME_MAX + 4, "tagged outside");
    assert_memory_equal(got, frame_bytes, 12);
    assert_memory_equal(got + 12, ((u8[4]){ 0x81, 0, 0, 7 }), 4);
    assert_memory_equal(got + 16, frame_bytes + 12, FRAME_MAX - 12);
    expect_frame(b, FRAME_MAX, "b untagged");
    EXPECT_EQ(receive(c) + receive(d), 0, "not the others");
    send(d, everybody, 60);
    expect_frame(card, 60, "VLAN 0 is untagged outside");
    EXPECT_EQ(receive(a) + receive(b) + receive(c), 0, "and not inside others");

    for (u32 vlan = 0; vlan < 9; vlan++) {
        frame_make(everybody, outside, FRAME_MAX);
        tag(vlan, 0x8100);
        send_bytes(card, FRAME_MAX + 4);
        frame_make(everybody, outside, FRAME_MAX);
        for (unsigned i = 0; i < 4; i++) {
            bool in = vlan == (i < 2 ? 7u : i == 2 ? 8u : 0u);

            EXPECT_EQ(receive(&at[i]), in ? FRAME_MAX : 0, "VLAN %u, VM %u", vlan, i);
            assert_memory_equal(got, frame_bytes, in ? FRAME_MAX : 0);
        }
    }
    frame_make(everybody, outside, 60);
    send_bytes(card, 60);
    expect_frame(d, 60, "untagged is VLAN 0");
    EXPECT_EQ(receive(a) + receive(b) + receive(c), 0, "alone");
}

TEST(a_vm_does_not_choose_its_vlan)
{
    struct stand *a = vm_add(0, 7, false, 0), *b = vm_add(1, 8, false, 0), *card = card_add(2);

    frame_make(everybody, a->mac, 60);
    tag(8, 0x8100);
    send_bytes(a, 64);
    frame_make(everybody, a->mac, 60);
    tag(8, 0x88a8);
    send_bytes(a, 64);
    EXPECT_EQ(port_drops(0, DROP_TAGGED), 2, "tagged");
    EXPECT_EQ(receive(b) + receive(card), 0, "nothing");
    frame_make(everybody, (u8[6]){ 2, 1, 1, 1, 1, 1 }, 60);
    tag(8, 0x8100);
    for (u32 len = 14; len < 18; len++)
        send_bytes(card, len);
    EXPECT_EQ(port_drops(2, DROP_SHORT), 4, "half a tag");
}

TEST(a_rate_makes_it_wait)
{
    struct stand *a = vm_add(0, 0, false, 100000), *b = vm_add(1, 0, false, 0);
    u64           sent = 0, when;

    for (fake_hart.time = 0; fake_hart.time < 10 * HZ; fake_hart.time += HZ / 1000) {
        struct net_frame f;

        frame_make(b->mac, a->mac, 1000);
        f = frame_of(1000);
        while (port_send(a->port, &f, &when, &work) == PORT_DONE) {
            sent += 1000;
            assert_true(receive(b));
        }
        assert_true(when > fake_hart.time);
    }
    EXPECT_EQ(port_drops(0, DROP_STORM) + port_drops(1, DROP_FULL), 0, "nothing is lost");
    assert_in_range(sent, 990000, 1030000);
}

TEST(storms_are_bounded_and_quiet_ones_are_heard)
{
    struct stand *a = vm_add(0, 0, false, 0), *b = vm_add(1, 0, false, 0), *c = vm_add(2, 0, false, 0);
    unsigned      heard = 0;

    for (unsigned i = 0; i < 100000; i++) {
        fake_hart.time += HZ / 10000;
        send(a, everybody, 60);
        while (receive(b))
            heard++;
        (void)receive(c);
    }
    assert_in_range(heard, 4900, 5300); // in ten seconds
    EXPECT_EQ(port_drops(0, DROP_STORM), 100000 - heard, "dropped");
    send(c, everybody, 60);
    expect_frame(b, 60, "another's");
    send(a, b->mac, 60);
    expect_frame(b, 60, "and the storm's own to one");
}

TEST(never_picked_up)
{
    struct stand *a = vm_add(0, 0, false, 0), *b = vm_add(1, 0, false, 0), *c = vm_add(2, 0, false, 0);
    unsigned      n = 0;

    for (unsigned i = 0; i < 2000; i++)
        send(a, b->mac, FRAME_MAX);
    EXPECT_EQ(b->woken, 1, "it is woken once, until it looks");
    assert_true(port_drops(1, DROP_FULL) > 1000);
    send(c, b->mac, 60);
    while (receive(b) && got[11] == a->mac[5])
        n++;
    EXPECT_EQ(got[11], c->mac[5], "who sends little finds room beside who floods");
    EXPECT_EQ(n + port_drops(1, DROP_FULL), 2000, "each was delivered or counted");
    send(a, b->mac, 60);
    EXPECT_EQ(b->woken, 2, "woken again");
    expect_frame(b, 60, "and it works as before");
}

TEST(nobody_there)
{
    struct stand *a = vm_add(0, 0, false, 0), *b = vm_add(1, 0, false, 0);

    for (unsigned i = 0; i < 10; i++)
        send(a, b->mac, 60);
    port_close(b->port);
    EXPECT_EQ(receive(b), 0, "what waited is gone");
    send(a, b->mac, 60);
    EXPECT_EQ(port_drops(1, DROP_CLOSED), 1, "closed");
    b->woken = 0;
    port_open(b->port, 0, woken, b);
    send(a, b->mac, 61);
    EXPECT_EQ(b->woken, 1, "woken");
    expect_frame(b, 61, "only what came since");
}

TEST(what_is_refused)
{
    struct port_config c = { .mac = { 1 } };
    struct net_port   *p;

    assert_non_null(strstr(switch_port_add("x", &c, &p), "single device"));
    c.mac[0] = 0;
    assert_non_null(strstr(switch_port_add("x", &c, &p), "single device"));
    vm_add(3, 0, false, 0);
    memcpy(c.mac, at[3].mac, 6);
    assert_non_null(strstr(switch_port_add("x", &c, &p), "another VM"));
    c.mac[1] = 9;
    c.vlan   = 4095;
    assert_non_null(strstr(switch_port_add("x", &c, &p), "4094"));
}

TEST(no_ports_left_and_no_memory)
{
    struct port_config c = { 0 };
    struct net_port   *p;

    for (unsigned i = 0; i < 72; i++)
        vm_add(i, 0, false, 0);
    mac_make(c.mac, 99);
    assert_non_null(strstr(switch_port_add("x", &c, &p), "no port"));
    switch_forget();
    machine.n_ram = 0;
    assert_non_null(strstr(switch_port_add("x", &c, &p), "RAM"));
}

// Two cards: what is behind one is learnt, and no card can unlearn another.
TEST(cards_and_what_is_behind_them)
{
    static u8     host[6] = { 2, 1, 1, 1, 1, 1 };
    struct stand *a = vm_add(0, 0, false, 0), *x = card_add(1), *y = card_add(2);

    send(a, host, 60);
    expect_frame(x, 60, "unknown: to all cards");
    expect_frame(y, 60, "unknown: to all cards");
    frame_make(a->mac, host, 60);
    send_bytes(y, 60);
    expect_frame(a, 60, "an answer");
    EXPECT_EQ(receive(x), 0, "not from card to card");
    send(a, host, 60);
    expect_frame(y, 60, "learnt");
    EXPECT_EQ(receive(x), 0, "only there");

    for (unsigned i = 0; i < 5000; i++) { // the other teaches all it can, this one among it
        u8 many[6] = { 2, (u8)(i >> 8), (u8)i, 1, 1, 1 };

        frame_make(a->mac, i % 2 ? many : host, 60);
        send_bytes(x, 60);
        (void)receive(a);
    }
    send(a, host, 60);
    expect_frame(y, 60, "still there");
    EXPECT_EQ(receive(x), 0, "only there");
    fake_hart.time += 301ul * HZ;
    send(a, host, 60);
    expect_frame(x, 60, "forgotten after five minutes");
    expect_frame(y, 60, "forgotten after five minutes");
}

// Letters of random lengths, taken and freed in random order, against a list.
TEST(mailbox_at_random)
{
    enum { SIZE = 8192, HELD = 20 };
    static u8      room[SIZE] __attribute__((aligned(64)));
    struct mailbox m;
    struct letter *held[HELD] = { 0 };
    u64            state = 1, put = 0, taken = 0, full = 0;
    u32            lens[256];
    bool           woken_at_all = false;

    mailbox_make(&m, room, SIZE);
    mailbox_open(&m);
    for (unsigned i = 0; i < 200000; i++) {
        struct letter *l;
        u32            len = (u32)dice_below(&state, 2000);
        unsigned       h   = (unsigned)dice_below(&state, HELD);

        if (dice_below(&state, 2)) {
            u8 skew = (u8)dice_below(&state, 8);

            if (mailbox_reserve(&m, (u32)dice_below(&state, 3), len, skew, &l) != MAILBOX_OK) {
                full++;
                continue;
            }
            EXPECT_EQ((u64)letter_frame(l) % 8, skew, "where it begins");
            assert_true(letter_frame(l) + len <= room + SIZE);
            memset(letter_frame(l), (int)put, len);
            lens[put++ % 256] = len;
            woken_at_all |= mailbox_post(&m, l);
        } else if (held[h]) {
            mailbox_free(&m, held[h]);
            held[h] = NULL;
        } else if ((l = mailbox_take(&m))) {
            EXPECT_EQ(l->len, lens[taken % 256], "the next");
            for (u32 b = 0; b < l->len; b++)
                EXPECT_EQ(letter_frame(l)[b], (u8)taken, "its bytes");
            taken++;
            held[h] = l;
        }
    }
    assert_true(full > 1000 && taken > 10000 && woken_at_all);
    for (unsigned h = 0; h < HELD; h++)
        if (held[h])
            mailbox_free(&m, held[h]);
    while (mailbox_take(&m))
        taken++;
    EXPECT_EQ(taken, put, "all that was put");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(from_one_to_another_and_to_nobody_else),
        RUN_ON_RIG(to_all_means_all_others),
        RUN_ON_RIG(to_all_a_few_at_a_time),
        RUN_ON_RIG(too_short_too_long_and_from_another),
        RUN_ON_RIG(pieces_that_end_early),
        RUN_ON_RIG(to_nobody),
        RUN_ON_RIG(isolated_ones_see_the_card_alone),
        RUN_ON_RIG(vlans),
        RUN_ON_RIG(a_vm_does_not_choose_its_vlan),
        RUN_ON_RIG(a_rate_makes_it_wait),
        RUN_ON_RIG(storms_are_bounded_and_quiet_ones_are_heard),
        RUN_ON_RIG(never_picked_up),
        RUN_ON_RIG(nobody_there),
        RUN_ON_RIG(what_is_refused),
        RUN_ON_RIG(no_ports_left_and_no_memory),
        RUN_ON_RIG(cards_and_what_is_behind_them),
        RUN(mailbox_at_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

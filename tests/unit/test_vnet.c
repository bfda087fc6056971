// SPDX-License-Identifier: MIT
// The virtual network card (Virtio 1.2, 5.1) at a switch, with a test at another of its ports.
#include "unit.h"

#include "dev/machine.h"
#include "dev/net.h"
#include "rig/driver.h"
#include "rig/net.h"
#include "vdev/virtio.h"

#define HZ          10000000
#define RINGS       (VM_RAM_BASE + 0x10000)
#define BUFFERS     (VM_RAM_BASE + 0x100000)
#define BUFFER(n)   (BUFFERS + 0x1000ul * (n))
#define SENT        (VM_RAM_BASE + 0x400000)
#define HEADER      12
#define F_MTU       BIT(3)
#define F_MAC       BIT(5)
#define F_MRG_RXBUF BIT(15)
#define F_STATUS    BIT(16)
#define RAM_SIZE    (16 * MIB)

static struct rig      *r;
static struct driver    rx, tx;
static struct net_port *own, *peer;
static u8              *ram;
static unsigned         peer_woken;
static const u8         own_mac[6]  = { 0x52, 0x54, 0, 1, 2, 3 };
static const u8         peer_mac[6] = { 0x52, 0x54, 0, 4, 5, 6 };

void machine_forget(void);

static void woken(void *arg)
{
    (void)arg;
    peer_woken++;
}

static int setup_with(u64 rate)
{
    struct port_config c = { .bytes_per_s = rate };

    bench_reset();
    machine_forget();
    switch_forget();
    ram                 = aligned_alloc(PAGE_SIZE, RAM_SIZE);
    machine.ram[0]      = (struct range){ (u64)ram, RAM_SIZE };
    machine.n_ram       = 1;
    machine.timebase_hz = HZ;
    memcpy(c.mac, own_mac, 6);
    assert_null(switch_port_add("own", &c, &own));
    memcpy(c.mac, peer_mac, 6);
    c.bytes_per_s = 0;
    assert_null(switch_port_add("peer", &c, &peer));
    port_open(peer, 0, woken, NULL);
    r  = rig_make(&(struct rig_options){ .port = own });
    rx = (struct driver){ .r = r, .base = VIRTIO_BASE(1), .size = 64, .queue = 0 };
    tx = (struct driver){ .r = r, .base = VIRTIO_BASE(1), .size = 64, .queue = 1 };
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return setup_with(0);
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    free(ram);
    return 0;
}

static void start(u64 features)
{
    EXPECT_EQ(driver_negotiate(&rx, features | VIRTIO_F_VERSION_1), 11, "features");
    driver_queue(&rx, RINGS);
    driver_queue(&tx, RINGS + 0x8000);
    driver_put(&rx, V_STATUS, 15);
}

static u8 *at_gpa(u64 at)
{
    return (u8 *)gmem_to_host(&r->vm, gpa(at)).a;
}

static u8 frame[70000];

static void frame_make(const u8 *to, const u8 *from, u32 len)
{
    for (u32 i = 0; i < sizeof frame; i++)
        frame[i] = (u8)(i * 11 + len);
    memcpy(frame, to, 6);
    memcpy(frame + 6, from, 6);
    frame[12] = 8;
    frame[13] = 0;
}

// From the guest: header and frame in one piece.
static void guest_send(u32 slot, const u8 *to, u32 len)
{
    u64 at = SENT + 0x1000ul * slot;

    frame_make(to, own_mac, len);
    memset(at_gpa(at), 0, HEADER);
    memcpy(at_gpa(at + HEADER), frame, len);
    driver_desc(&tx, tx.desc, slot, at, HEADER + len, 0, 0);
    driver_offer(&tx, (u16)slot);
}

// What came to the peer; 0: nothing.
static u8  got[70000];
static u32 peer_receive(void)
{
    return port_take(peer, got, NULL);
}

// The guest has run for a moment.
static void pause_do(void)
{
    fake_hart.time += HZ / 100000;
}

static void turn_do(void)
{
    pause_do();
    bus_tick(&r->vm.bus, fake_hart.time);
}

static void kicks(void)
{
    pause_do();
    bus_answer_kicks(&r->vm.bus);
}

static void peer_send(u32 len)
{
    struct seg       s = { .at = hpa((u64)frame), .len = len };
    struct net_frame f = { .at = { &s, 1, 0 }, .len = len };
    u64              when;
    u32              work = 0;

    frame_make(own_mac, peer_mac, len);
    EXPECT_EQ(port_send(peer, &f, &when, &work), PORT_DONE, "sent");
}

static void buffer_offer(u32 n, u32 len)
{
    memset(at_gpa(BUFFER(n)), 0xee, 0x1000);
    driver_desc(&rx, rx.desc, n, BUFFER(n), len, DESC_WRITE, 0);
    driver_offer(&rx, (u16)n);
}

TEST(configuration)
{
    u64 c = VIRTIO_BASE(1) + V_CONFIG;

    for (unsigned i = 0; i < 6; i++)
        EXPECT_EQ(rig_read(r, c + i, 1), own_mac[i], "mac");
    EXPECT_EQ(rig_read(r, c + 6, 2), 1, "status: the link is up");
    EXPECT_EQ(rig_read(r, c + 10, 2), 1500, "mtu");
    EXPECT_EQ(driver_get(&rx, V_DEVICE), 1, "a network card");
    EXPECT_EQ(driver_features(&rx) & (F_MAC | F_STATUS | F_MTU | F_MRG_RXBUF),
              F_MAC | F_STATUS | F_MTU | F_MRG_RXBUF, "features");
}

TEST(a_vm_without_a_network_has_none)
{
    struct rig *other = rig_make(&(struct rig_options){ 0 });

    EXPECT_EQ(rig_read(other, VIRTIO_BASE(1) + V_DEVICE, 4), 0, "an empty slot");
    rig_free(other);
}

TEST(sends)
{
    u32 head, len;

    start(F_MAC);
    for (u32 n = ETH_SIZE; n <= FRAME_MAX; n++) {
        guest_send(n % 64, peer_mac, n);
        pause_do();
        driver_notify(&tx);
        EXPECT_EQ(peer_receive(), n, "what came");
        assert_memory_equal(got, frame, n);
        assert_true(driver_used(&tx, &head, &len));
        EXPECT_EQ(head, n % 64, "head");
        EXPECT_EQ(len, 0, "nothing was written");
    }
    EXPECT_EQ(driver_get(&tx, V_INTERRUPTS), 1, "interrupt");
}

// Header and frame in pieces of odd lengths, through an indirect table.
TEST(sends_from_pieces)
{
    u64 at = SENT, table = SENT + 0x8000;
    u32 n = 0, head, len;

    start(F_MAC);
    frame_make(peer_mac, own_mac, 500);
    memset(at_gpa(at), 0, HEADER);
    memcpy(at_gpa(at + HEADER), frame, 500);
    for (u32 off = 0; off < HEADER + 500; off += 5, n++)
        driver_desc(&tx, table, n, at + off, off + 5 > HEADER + 500 ? HEADER + 500 - off : 5,
                    off + 5 < HEADER + 500 ? DESC_NEXT : 0, (u16)(n + 1));
    driver_desc(&tx, tx.desc, 0, table, 16 * n, DESC_INDIRECT, 0);
    driver_offer(&tx, 0);
    driver_notify(&tx);
    EXPECT_EQ(peer_receive(), 500, "what came");
    assert_memory_equal(got, frame, 500);
    assert_true(driver_used(&tx, &head, &len));
}

TEST(sends_nonsense)
{
    static const u32 lens[] = { 1, HEADER - 1, HEADER, HEADER + 1, HEADER + ETH_SIZE - 1 };
    u32              head, len;

    start(F_MAC);
    for (u32 i = 0; i < ARRAY_LEN(lens); i++) {
        driver_desc(&tx, tx.desc, i, SENT, lens[i], 0, 0);
        driver_offer(&tx, (u16)i);
    }
    driver_desc(&tx, tx.desc, 10, SENT, 100, DESC_WRITE, 0); // nothing to read at all
    driver_offer(&tx, 10);
    driver_desc(&tx, tx.desc, 11, SENT, 0x300000, 0, 0);
    driver_offer(&tx, 11);
    driver_notify(&tx);
    EXPECT_EQ(port_drops(0, DROP_SHORT), 6, "short");
    EXPECT_EQ(port_drops(0, DROP_LONG) + port_drops(0, DROP_SPOOFED), 1, "long");
    for (u32 i = 0; i < 7; i++)
        assert_true(driver_used(&tx, &head, &len));
    EXPECT_EQ(peer_receive(), 0, "nothing came");
    guest_send(0, peer_mac, 60);
    driver_notify(&tx);
    EXPECT_EQ(peer_receive(), 60, "and it still works");
}

TEST(receives)
{
    u32 head, len;

    start(F_MAC);
    for (u32 n = ETH_SIZE; n <= FRAME_MAX; n++) {
        u8 *b = at_gpa(BUFFER(n % 64));

        buffer_offer(n % 64, HEADER + FRAME_MAX);
        peer_send(n);
        kicks();
        assert_true(driver_used(&rx, &head, &len));
        EXPECT_EQ(head, n % 64, "head");
        EXPECT_EQ(len, HEADER + n, "length");
        assert_memory_equal(b, ((u8[HEADER]){ [10] = 1 }), HEADER);
        assert_memory_equal(b + HEADER, frame, n);
        EXPECT_EQ(b[HEADER + n], 0xee, "the byte behind");
    }
    EXPECT_EQ(driver_get(&rx, V_INTERRUPTS), 1, "interrupt");
}

TEST(receives_into_several_buffers)
{
    u32 head, len;

    start(F_MAC | F_MRG_RXBUF);
    for (u32 i = 0; i < 16; i++)
        buffer_offer(i, 100);
    peer_send(1000);
    kicks();
    EXPECT_EQ(*(u16 *)(void *)(at_gpa(BUFFER(0)) + 10), 11, "how many");
    for (u32 i = 0, done = 0; i < 11; i++) {
        u32 skip = i ? 0 : HEADER, part = (u32)min_u64(100 - skip, 1000 - done);

        assert_true(driver_used(&rx, &head, &len));
        EXPECT_EQ(head, i, "in order");
        EXPECT_EQ(len, skip + part, "length of %u", i);
        assert_memory_equal(at_gpa(BUFFER(i)) + skip, frame + done, part);
        done += part;
    }
    assert_false(driver_used(&rx, &head, &len));
}

// The driver sees nothing of a frame before it is whole.
TEST(waits_for_buffers)
{
    u32 head, len;

    start(F_MAC | F_MRG_RXBUF);
    peer_send(300);
    kicks();
    for (u32 i = 0; i < 4; i++) {
        assert_false(driver_used(&rx, &head, &len));
        buffer_offer(i, 100);
        driver_notify(&rx);
    }
    for (u32 i = 0; i < 4; i++)
        assert_true(driver_used(&rx, &head, &len));
    EXPECT_EQ(len, 12, "the rest");
    EXPECT_EQ(*(u16 *)(void *)(at_gpa(BUFFER(0)) + 10), 4, "how many");
    assert_false(driver_used(&rx, &head, &len));
}

TEST(buffers_that_are_too_small)
{
    u32 head, len;

    start(F_MAC);
    buffer_offer(0, HEADER + 59);
    buffer_offer(1, 3);
    buffer_offer(2, HEADER + 60);
    peer_send(60);
    peer_send(60);
    peer_send(60);
    kicks();
    EXPECT_EQ(port_drops(0, DROP_NO_SPACE), 2, "dropped");
    for (u32 i = 0; i < 3; i++) {
        assert_true(driver_used(&rx, &head, &len));
        EXPECT_EQ(len, i < 2 ? 0 : HEADER + 60, "length");
    }
}

// As many as the queue has are not enough.
TEST(buffers_that_are_absurdly_small)
{
    u32 head, len;

    start(F_MAC | F_MRG_RXBUF);
    buffer_offer(0, HEADER);
    for (u32 i = 1; i < 64; i++)
        buffer_offer(i, 1);
    peer_send(64);
    kicks();
    assert_false(driver_used(&rx, &head, &len)); // that is more than one turn's work
    for (u32 turn = 0; turn < 5; turn++)
        turn_do();
    EXPECT_EQ(port_drops(0, DROP_NO_SPACE), 1, "dropped");
    for (u32 i = 0; i < 64; i++) {
        assert_true(driver_used(&rx, &head, &len));
        EXPECT_EQ(len, 0, "length");
    }
    buffer_offer(0, 11);
    peer_send(60);
    kicks();
    EXPECT_EQ(port_drops(0, DROP_NO_SPACE), 2, "no room for the header");
}

// As many as there can be, of which none is one too many.
TEST(a_whole_ring_that_is_too_small)
{
    u32 head, len;

    rx.size = VIRTQ_SIZE_USUAL;
    start(F_MAC | F_MRG_RXBUF);
    buffer_offer(0, HEADER);
    for (u32 i = 1; i < VIRTQ_SIZE_USUAL; i++)
        buffer_offer(i, 1);
    peer_send(1000);
    kicks();
    for (u32 turn = 0; turn < 60; turn++)
        turn_do();
    EXPECT_EQ(port_drops(0, DROP_NO_SPACE), 1, "dropped");
    for (u32 i = 0; i < VIRTQ_SIZE_USUAL; i++) {
        assert_true(driver_used(&rx, &head, &len));
        EXPECT_EQ(len, 0, "length");
    }
}

TEST(never_picked_up)
{
    u32 head, len, n = 0;

    start(F_MAC | F_MRG_RXBUF);
    for (u32 i = 0; i < 3000; i++) {
        peer_send(1000);
        kicks();
    }
    assert_true(port_drops(0, DROP_FULL) > 1000);
    EXPECT_EQ(driver_get(&rx, V_INTERRUPTS), 0, "no interrupt without a buffer");
    for (u32 i = 0; i < 64; i++)
        buffer_offer(i, 0x1000);
    driver_notify(&rx);
    for (u32 turn = 0; turn < 20; turn++)
        bus_tick(&r->vm.bus, fake_hart.time += HZ);
    while (driver_used(&rx, &head, &len))
        n++;
    EXPECT_EQ(n, 64, "the first that came");
}

// One turn's work is bounded, and the rest is done without another notification.
TEST(goes_on_by_itself)
{
    u32 head, len, n = 0;

    start(F_MAC);
    for (u32 i = 0; i < 64; i++)
        guest_send(i, peer_mac, FRAME_MAX);
    driver_notify(&tx);
    while (driver_used(&tx, &head, &len))
        n++;
    assert_in_range(n, 3, 12);
    for (u32 turn = 0; turn < 20; turn++)
        turn_do();
    while (driver_used(&tx, &head, &len))
        n++;
    EXPECT_EQ(n, 64, "all");
}

// Frames in many pieces are more work than their bytes.
TEST(a_turn_is_bounded_in_pieces)
{
    u64 table = SENT + 0x8000;
    u32 head, len, n = 0;

    start(F_MAC);
    memset(at_gpa(SENT), 0, 0x1000);
    for (u32 i = 0; i < 100; i++)
        driver_desc(&tx, table, i, SENT + i, 1, i < 99 ? DESC_NEXT : 0, (u16)(i + 1));
    driver_desc(&tx, tx.desc, 0, table, 1600, DESC_INDIRECT, 0);
    for (u32 i = 0; i < 64; i++)
        driver_offer(&tx, 0);
    driver_notify(&tx);
    while (driver_used(&tx, &head, &len))
        n++;
    assert_in_range(n, 1, WORK_TURN / 12800 + 1);
    for (u32 turn = 0; turn < 64; turn++)
        turn_do();
    while (driver_used(&tx, &head, &len))
        n++;
    EXPECT_EQ(n, 64, "all");
}

// However often it is called, and for whatever reason: the guest comes first.
TEST(a_turn_is_one_until_the_guest_has_run)
{
    u32 head, len, n = 0, before;

    start(F_MAC);
    pause_do(); // the last turn's end is long past
    for (u32 i = 0; i < 64; i++)
        guest_send(i, peer_mac, FRAME_MAX);
    driver_notify(&tx);
    while (driver_used(&tx, &head, &len))
        n++;
    before = n;
    for (u32 i = 0; i < 10; i++) {
        driver_notify(&tx);
        driver_notify(&rx);
        peer_send(100);
        bus_answer_kicks(&r->vm.bus);
        bus_tick(&r->vm.bus, fake_hart.time);
    }
    while (driver_used(&tx, &head, &len))
        n++;
    EXPECT_EQ(n, before, "nothing more");
    turn_do();
    while (driver_used(&tx, &head, &len))
        n++;
    assert_true(n > before);
}

// There is always something to receive, and it sends all the same; and the other way round.
// `called`: also in between, when it may do nothing, as by somebody who sends to it meanwhile.
static void both_directions_expect(bool called)
{
    u32 head, len, n_sent = 0, n_received = 0;

    start(F_MAC);
    for (u32 i = 0; i < 64; i++) {
        buffer_offer(i, HEADER + FRAME_MAX);
        guest_send(i, peer_mac, FRAME_MAX);
    }
    for (u32 i = 0; i < 64; i++)
        peer_send(FRAME_MAX);
    driver_notify(&rx);
    for (u32 turn = 0; turn < 8; turn++) {
        turn_do();
        if (called) {
            driver_notify(&rx);
        }
    }
    while (driver_used(&tx, &head, &len))
        n_sent++;
    while (driver_used(&rx, &head, &len))
        n_received++;
    assert_in_range(n_sent, 12, 24); // of half a turn each, whose frames cost more
    assert_in_range(n_received, 24, 48);
}

TEST(neither_direction_waits_for_the_other)
{
    both_directions_expect(false);
    teardown(NULL);
    setup(NULL);
    both_directions_expect(true);
}

TEST(a_limited_one_waits)
{
    u32 head, len, n = 0;

    teardown(NULL);
    setup_with(10000);
    start(F_MAC);
    for (u32 i = 0; i < 64; i++)
        guest_send(i, peer_mac, 1000);
    driver_notify(&tx);
    for (u32 ms = 0; ms < 5000; ms++)
        bus_tick(&r->vm.bus, fake_hart.time += HZ / 1000);
    while (driver_used(&tx, &head, &len))
        n++;
    assert_in_range(n, 50, 54);
    EXPECT_EQ(port_drops(0, DROP_FULL), 0, "none was lost");
}

TEST(reset_forgets)
{
    u32 head, len;

    start(F_MAC | F_MRG_RXBUF);
    buffer_offer(0, 100);
    peer_send(300);
    kicks(); // half of it is in the buffer
    driver_put(&rx, V_STATUS, 0);
    EXPECT_EQ(driver_get(&rx, V_STATUS), 0, "reset");
    peer_send(70);
    EXPECT_EQ(port_drops(0, DROP_CLOSED), 1, "nobody there");
    start(F_MAC);
    buffer_offer(0, 0x1000);
    kicks();
    assert_false(driver_used(&rx, &head, &len));
    peer_send(80);
    kicks();
    assert_true(driver_used(&rx, &head, &len));
    EXPECT_EQ(len, HEADER + 80, "only what came since");
}

// The queues are taken back one by one, with a frame half received and one half sent.
TEST(queues_taken_back)
{
    u32 head, len;

    start(F_MAC | F_MRG_RXBUF);
    buffer_offer(0, 100);
    peer_send(300);
    kicks();
    driver_put(&rx, V_QUEUE, 0);
    driver_put(&rx, V_READY, 0);
    EXPECT_EQ(driver_get(&rx, V_READY), 0, "taken back");
    driver_queue(&rx, RINGS);
    buffer_offer(5, 0x1000);
    driver_notify(&rx);
    assert_true(driver_used(&rx, &head, &len));
    EXPECT_EQ(head, 5, "a new buffer");
    EXPECT_EQ(len, HEADER + 300, "the whole frame");
    guest_send(3, peer_mac, 60);
    driver_notify(&tx);
    EXPECT_EQ(peer_receive(), 60, "sending goes on");
}

TEST(breaks_on_a_bad_chain)
{
    start(F_MAC);
    driver_desc(&tx, tx.desc, 0, 0x1000, 100, 0, 0); // no RAM
    driver_offer(&tx, 0);
    guest_send(1, peer_mac, 60);
    driver_notify(&tx);
    EXPECT_EQ(driver_get(&tx, V_STATUS), 15 | 64, "needs a reset");
    EXPECT_EQ(peer_receive(), 0, "nothing was sent");
    peer_send(60);
    kicks();
    start(F_MAC);
    guest_send(1, peer_mac, 60);
    driver_notify(&tx);
    EXPECT_EQ(peer_receive(), 60, "after it all is well");
}

// A driver that never says where its buffers will be; what is sent to it waits.
TEST(starts_without_a_queue)
{
    EXPECT_EQ(driver_negotiate(&rx, F_MAC | VIRTIO_F_VERSION_1), 11, "features");
    driver_put(&rx, V_STATUS, 15);
    EXPECT_EQ(driver_get(&rx, V_STATUS), 15, "it runs");
    peer_send(60);
    kicks();
    driver_queue(&rx, RINGS);
    buffer_offer(0, 2048);
    driver_notify(&rx);
    EXPECT_EQ(at_gpa(rx.used)[2], 1, "and comes as soon as there is a place");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(configuration),
        RUN_ON_RIG(a_vm_without_a_network_has_none),
        RUN_ON_RIG(sends),
        RUN_ON_RIG(sends_from_pieces),
        RUN_ON_RIG(sends_nonsense),
        RUN_ON_RIG(receives),
        RUN_ON_RIG(receives_into_several_buffers),
        RUN_ON_RIG(waits_for_buffers),
        RUN_ON_RIG(buffers_that_are_too_small),
        RUN_ON_RIG(buffers_that_are_absurdly_small),
        RUN_ON_RIG(a_whole_ring_that_is_too_small),
        RUN_ON_RIG(never_picked_up),
        RUN_ON_RIG(goes_on_by_itself),
        RUN_ON_RIG(a_turn_is_bounded_in_pieces),
        RUN_ON_RIG(a_turn_is_one_until_the_guest_has_run),
        RUN_ON_RIG(neither_direction_waits_for_the_other),
        RUN_ON_RIG(a_limited_one_waits),
        RUN_ON_RIG(reset_forgets),
        RUN_ON_RIG(queues_taken_back),
        RUN_ON_RIG(breaks_on_a_bad_chain),
        RUN_ON_RIG(starts_without_a_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

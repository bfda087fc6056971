// SPDX-License-Identifier: MIT
// The virtual console (Virtio 1.2, 5.3), and who has the keyboard.
#include "unit.h"

#include "rig/driver.h"
#include "vdev/board.h"
#include "vdev/virtio.h"

#define RINGS(queue) (VM_RAM_BASE + 0x10000 + 0x4000ul * (queue))
#define DATA         (VM_RAM_BASE + 0x20000)
#define RX           0
#define TX           1

static struct rig   *r;
static struct driver d[2];

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r = rig_make(&(struct rig_options){ .has_vcons = true });
    for (u32 q = RX; q <= TX; q++)
        d[q] = (struct driver){ .r = r, .base = VIRTIO_BASE(2), .size = 64, .queue = q };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

static void start(void)
{
    EXPECT_EQ(driver_negotiate(&d[RX], VIRTIO_F_VERSION_1), 11, "features");
    driver_queue(&d[RX], RINGS(RX));
    driver_queue(&d[TX], RINGS(TX));
    driver_put(&d[RX], V_STATUS, 15);
}

static void offer(u32 queue, u16 n, u64 at, u32 len)
{
    driver_desc(&d[queue], d[queue].desc, n, at, len, queue == RX ? DESC_WRITE : 0, 0);
    driver_offer(&d[queue], n);
}

static void say(u16 n, const char *text)
{
    u64 at = DATA + 4096ul * n;

    assert_true(gmem_write(&r->vm, gpa(at), text, strlen(text)));
    offer(TX, n, at, (u32)strlen(text));
}

static u64 uart_status(void)
{
    return rig_read(r, VUART_BASE + 5, 1);
}

TEST(prints)
{
    u32 head, len;

    start();
    say(0, "hello, ");
    say(1, "world");
    driver_notify(&d[TX]);
    EXPECT_EQ(r->n_out, 12, "bytes");
    assert_memory_equal(r->out, "hello, world", 12);
    EXPECT_EQ(driver_get(&d[TX], V_INTERRUPTS), 1, "told");
    assert_true(driver_used(&d[TX], &head, &len) && head == 0 && len == 0);
    assert_true(driver_used(&d[TX], &head, &len) && head == 1);
    assert_false(driver_used(&d[TX], &head, &len));
}

// D13: no more at a time than a turn allows, and nothing while there is no room; nothing is lost.
TEST(waits_for_room)
{
    static char text[5001];
    u32         head, len, turns = 0;

    for (unsigned i = 0; i < 5000; i++)
        text[i] = (char)('0' + i % 70);
    start();
    r->full = true;
    say(0, text);
    driver_notify(&d[TX]);
    r->vm.console_ready(&r->vm);
    EXPECT_EQ(r->n_out, 0, "no room");
    r->full = false;
    r->vm.console_ready(&r->vm);
    assert_true(r->n_out && r->n_out < 1024);
    for (; r->vm.bus.deadline != ~0ul; turns++) {
        assert_false(driver_used(&d[TX], &head, &len));
        bus_tick(&r->vm.bus, fake_hart.time);
    }
    assert_true(turns > 4);
    EXPECT_EQ(r->n_out, 5000, "all");
    assert_memory_equal(r->out, text, 5000);
    EXPECT_EQ(r->n_overrun, 0, "none while there was no room");
    assert_true(driver_used(&d[TX], &head, &len));
}

TEST(the_keyboard_changes_hands)
{
    u32 head, len;

    rig_type(r, "a");
    EXPECT_EQ(uart_status() & 1, 1, "the UART has it");
    EXPECT_EQ(rig_read(r, VUART_BASE, 1), 'a', "byte");
    start();
    rig_type(r, "b");
    EXPECT_EQ(uart_status() & 1, 0, "no more");
    offer(RX, 3, DATA, 16);
    driver_notify(&d[RX]);
    assert_true(driver_used(&d[RX], &head, &len));
    EXPECT_EQ(head, 3, "head");
    EXPECT_EQ(len, 1, "length");
    EXPECT_EQ(*(u8 *)gmem_to_host(&r->vm, gpa(DATA)).a, 'b', "byte");
    driver_put(&d[RX], V_STATUS, 0);
    rig_type(r, "c");
    EXPECT_EQ(uart_status() & 1, 1, "back");
    EXPECT_EQ(rig_read(r, VUART_BASE, 1), 'c', "byte");
}

TEST(input_fills_chains)
{
    u32  head, len, n = 0;
    char got[64];

    start();
    rig_type(r, "The quick brown fox jumps");
    for (u16 i = 0; i < 8; i++)
        offer(RX, i, DATA + 8u * i, 4);
    driver_notify(&d[RX]);
    for (; driver_used(&d[RX], &head, &len); n += len)
        EXPECT_EQ(len, n < 24 ? 4 : 1, "%u", n);
    EXPECT_EQ(n, 25, "bytes");
    for (u32 i = 0; i < 7; i++)
        assert_true(gmem_read(&r->vm, gpa(DATA + 8u * i), got + 4ul * i, 4));
    assert_memory_equal(got, "The quick brown fox jumps", 25);
    assert_false(driver_used(&d[RX], &head, &len));
    rig_type(r, "!");
    assert_true(driver_used(&d[RX], &head, &len)); // the eighth was at hand
    EXPECT_EQ(len, 1, "length");
}

// Chains of the wrong direction, and a queue that is taken back while a chain is at hand.
TEST(odd_chains)
{
    u32 head, len;

    start();
    driver_desc(&d[RX], d[RX].desc, 0, DATA, 8, 0, 0); // nothing to write into
    driver_offer(&d[RX], 0);
    driver_desc(&d[TX], d[TX].desc, 0, DATA, 8, DESC_WRITE, 0); // nothing to read
    driver_offer(&d[TX], 0);
    driver_notify(&d[TX]);
    driver_notify(&d[RX]);
    assert_true(driver_used(&d[RX], &head, &len) && len == 0);
    assert_true(driver_used(&d[TX], &head, &len) && len == 0);
    offer(RX, 1, DATA, 8);
    driver_notify(&d[RX]);
    driver_put(&d[RX], V_QUEUE, RX);
    driver_put(&d[RX], V_READY, 0);
    assert_true(driver_used(&d[RX], &head, &len) && head == 1 && len == 0);
    driver_queue(&d[RX], RINGS(RX));
    rig_type(r, "x");
    assert_false(driver_used(&d[RX], &head, &len));
    offer(RX, 2, DATA, 8);
    driver_notify(&d[RX]);
    assert_true(driver_used(&d[RX], &head, &len) && head == 2 && len == 1);
}

static u32 n_used(u32 queue)
{
    u32 n = 0, head, len;

    while (driver_used(&d[queue], &head, &len))
        n++;
    return n;
}

// Chains as long as there may be, of what is of no use there, and much that was typed: each turn is
// short, and all is done in the end.
TEST(a_turn_is_bounded)
{
    static char typed[1001];

    start();
    for (u32 i = 0; i < CHAIN_SEGS_USUAL; i++)
        for (u32 q = RX; q <= TX; q++)
            driver_desc(&d[q], DATA + 0x4000ul * q, i, DATA + 0x8000, 1,
                        (i + 1 < CHAIN_SEGS_USUAL ? DESC_NEXT : 0) | (q == TX ? DESC_WRITE : 0),
                        (u16)(i + 1));
    for (u32 q = RX; q <= TX; q++)
        for (u16 n = 0; n < 30; n++) {
            driver_desc(&d[q], d[q].desc, n, DATA + 0x4000ul * q, 16 * CHAIN_SEGS_USUAL,
                        DESC_INDIRECT, 0);
            driver_offer(&d[q], n);
        }
    driver_notify(&d[TX]);
    assert_in_range(n_used(RX) + n_used(TX), 1, 4);
    for (u32 n = 0; r->vm.bus.deadline != ~0ul; n++) {
        assert_true(n < 100);
        bus_tick(&r->vm.bus, fake_hart.time);
        assert_in_range(n_used(RX) + n_used(TX), 0, 4);
    }
    EXPECT_EQ(d[RX].seen + d[TX].seen, 60, "all in the end");

    memset(typed, 'x', 1000);
    offer(RX, 30, DATA, 2000);
    for (u16 n = 31; n < 50; n++)
        offer(RX, n, DATA + 2000ul * n, 2000);
    rig_type(r, typed);
    assert_in_range(r->in_at, 1, 200);
    while (r->vm.bus.deadline != ~0ul)
        bus_tick(&r->vm.bus, fake_hart.time);
    EXPECT_EQ(r->in_at, 1000, "all that was typed");
}

// A turn's bytes are all of them, and no piece more.
TEST(a_turn_is_bounded_in_bytes)
{
    start();
    for (u16 n = 0; n < 2; n++)
        offer(TX, n, DATA, 512);
    driver_notify(&d[TX]);
    EXPECT_EQ(r->n_out, 512, "a turn");
    bus_tick(&r->vm.bus, fake_hart.time);
    EXPECT_EQ(r->n_out, 1024, "the next");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(prints),
        RUN_ON_RIG(waits_for_room),
        RUN_ON_RIG(the_keyboard_changes_hands),
        RUN_ON_RIG(input_fills_chains),
        RUN_ON_RIG(odd_chains),
        RUN_ON_RIG(a_turn_is_bounded),
        RUN_ON_RIG(a_turn_is_bounded_in_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

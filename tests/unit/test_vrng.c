// SPDX-License-Identifier: MIT
// The virtual source of entropy (Virtio 1.2, 5.4).
#include "unit.h"

#include "rig/driver.h"
#include "vdev/virtio.h"

#define RINGS (VM_RAM_BASE + 0x10000)
#define DATA  (VM_RAM_BASE + 0x20000)

static struct rig   *r;
static struct driver d;

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r = rig_make(NULL);
    d = (struct driver){ .r = r, .base = VIRTIO_BASE(3), .size = 64 };
    driver_start(&d, VIRTIO_F_VERSION_1, RINGS);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

static u64 filled(u64 at, u32 len)
{
    u32 head, told;

    driver_desc(&d, d.desc, 0, at, len, DESC_WRITE, 0);
    driver_offer(&d, 0);
    driver_notify(&d);
    assert_true(driver_used(&d, &head, &told) && !head);
    return told;
}

TEST(fills_chains)
{
    u64 before = 0;

    EXPECT_EQ(driver_get(&d, V_DEVICE), 4, "entropy");
    for (u32 n = 0; n < 100; n++) {
        EXPECT_EQ(filled(DATA, 8), 8, "bytes");
        assert_true(rig_word(r, DATA) != before);
        before = rig_word(r, DATA);
    }
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 1, "told");
    EXPECT_EQ(filled(DATA, 1), 1, "one byte");
    EXPECT_EQ(filled(DATA, 1 << 20), 64, "of a long one a part");
    EXPECT_EQ(rig_word(r, DATA + 64), 0, "and nothing behind it");
}

// A greedy driver is served in turns.
TEST(a_turn_is_bounded)
{
    u32 head, len, n = 0;

    driver_desc(&d, d.desc, 0, DATA, 64, DESC_WRITE, 0);
    for (u32 i = 0; i < 50; i++)
        driver_offer(&d, 0);
    driver_notify(&d);
    while (driver_used(&d, &head, &len))
        n++;
    EXPECT_EQ(n, 8, "a turn");
    while (r->vm.bus.deadline != ~0ul)
        bus_tick(&r->vm.bus, fake_hart.time);
    while (driver_used(&d, &head, &len))
        n++;
    EXPECT_EQ(n, 50, "all");
}

// Chains as long as there may be count for more.
TEST(a_turn_is_bounded_in_pieces)
{
    u32 head, len, n = 0;

    for (u32 i = 0; i < CHAIN_SEGS_USUAL; i++)
        driver_desc(&d, DATA + 0x1000, i, DATA, 1,
                    DESC_WRITE | (i + 1 < CHAIN_SEGS_USUAL ? DESC_NEXT : 0), (u16)(i + 1));
    driver_desc(&d, d.desc, 0, DATA + 0x1000, 16 * CHAIN_SEGS_USUAL, DESC_INDIRECT, 0);
    for (u32 i = 0; i < 8; i++)
        driver_offer(&d, 0);
    driver_notify(&d);
    while (driver_used(&d, &head, &len))
        n++;
    EXPECT_EQ(n, 2, "a turn");
    while (r->vm.bus.deadline != ~0ul)
        bus_tick(&r->vm.bus, fake_hart.time);
    while (driver_used(&d, &head, &len))
        n++;
    EXPECT_EQ(n, 8, "all");
}

TEST(a_chain_is_bounded)
{
    for (u32 i = 0; i <= CHAIN_SEGS_USUAL; i++)
        driver_desc(&d, DATA + 0x1000, i, DATA, 1,
                    DESC_WRITE | (i < CHAIN_SEGS_USUAL ? DESC_NEXT : 0), (u16)(i + 1));
    driver_desc(&d, d.desc, 0, DATA + 0x1000, 16 * (CHAIN_SEGS_USUAL + 1), DESC_INDIRECT, 0);
    driver_offer(&d, 0);
    driver_notify(&d);
    EXPECT_EQ(driver_get(&d, V_STATUS) & VIRTIO_NEEDS_RESET, VIRTIO_NEEDS_RESET, "one too many");
}

TEST(nothing_to_fill)
{
    u32 head, len;

    driver_desc(&d, d.desc, 0, DATA, 64, 0, 0);
    driver_offer(&d, 0);
    driver_notify(&d);
    assert_true(driver_used(&d, &head, &len) && !len);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(fills_chains),
        RUN_ON_RIG(a_turn_is_bounded),
        RUN_ON_RIG(a_turn_is_bounded_in_pieces),
        RUN_ON_RIG(a_chain_is_bounded),
        RUN_ON_RIG(nothing_to_fill),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

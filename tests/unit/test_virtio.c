// SPDX-License-Identifier: MIT
// The MMIO transport of the virtual virtio devices (Virtio 1.2, 4.2), on the disk.
#include "unit.h"

#include "rig/driver.h"
#include "rig/ramdisk.h"
#include "vdev/virtio.h"

#define RINGS  (VM_RAM_BASE + 0x10000)
#define DATA   (VM_RAM_BASE + 0x20000)
#define PLAIN  VIRTIO_F_VERSION_1
#define STATUS driver_get(&d, V_STATUS)

static struct rig     *r;
static struct ramdisk *disk;
static struct driver   d;

static int setup(void **state)
{
    (void)state;
    bench_reset();
    disk = ramdisk_make(1000);
    r    = rig_make(&(struct rig_options){ .disk = &disk->dev });
    d    = (struct driver){ .r = r, .base = VIRTIO_BASE(0), .size = 8 };
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    ramdisk_free(disk);
    return 0;
}

static bool irq(void)
{
    return rig_read(r, VPLIC_BASE + 0x1000, 4) & BIT(VIRTIO_IRQ(0));
}

// A request that reads a sector.
static void read_offer(u16 head)
{
    u64 header[2] = { 0, 5 };

    assert_true(gmem_write(&r->vm, gpa(DATA), header, 16));
    driver_desc(&d, d.desc, head, DATA, 16, DESC_NEXT, (u16)(head + 1));
    driver_desc(&d, d.desc, head + 1u, DATA + 0x1000, 513, DESC_WRITE, 0);
    driver_offer(&d, head);
    driver_notify(&d);
}

TEST(says_what_it_is)
{
    EXPECT_EQ(driver_get(&d, V_MAGIC), 0x74726976, "magic");
    EXPECT_EQ(driver_get(&d, V_VERSION), 2, "version");
    EXPECT_EQ(driver_get(&d, V_DEVICE), 2, "a disk");
    EXPECT_EQ(driver_get(&d, V_QUEUE_MAX), 512, "queue");
    driver_put(&d, V_QUEUE, 1);
    EXPECT_EQ(driver_get(&d, V_QUEUE_MAX), 0, "no second queue");
    driver_put(&d, V_QUEUE, ~0u);
    EXPECT_EQ(driver_get(&d, V_QUEUE_MAX), 0, "nor a last");
    driver_put(&d, V_FEATURES_SELECT, 2);
    EXPECT_EQ(driver_get(&d, V_FEATURES), 0, "no features beyond 63");
    EXPECT_EQ(driver_features(&d) >> 28 & 0x13, 0x13, "INDIRECT, EVENT_IDX, VERSION_1");
}

// The slots without a device are as they were, and behind the registers nobody is.
TEST(slots)
{
    u64 value;

    for (u64 slot = 0; slot < 8; slot++) {
        EXPECT_EQ(rig_read(r, VIRTIO_BASE(slot), 4), 0x74726976, "magic");
        if (slot == 2 || (slot >= 4 && slot < 8))
            EXPECT_EQ(rig_read(r, VIRTIO_BASE(slot) + 8, 4), 0, "nothing in slot %lu", slot);
        assert_true(rig_access(r, VIRTIO_BASE(slot) + 0x1fc, 4, false, &value));
        assert_false(rig_access(r, VIRTIO_BASE(slot) + 0x200, 4, false, &value));
        assert_false(rig_access(r, VIRTIO_BASE(slot) + 0xffc, 4, true, &value));
    }
}

TEST(widths)
{
    EXPECT_EQ(rig_read(r, d.base, 8), 0x0000000274726976, "8 bytes are two registers");
    EXPECT_EQ(rig_read(r, d.base, 1), 0, "1 byte is none");
    EXPECT_EQ(rig_read(r, d.base, 2), 0, "nor are 2");
    rig_write(r, d.base + V_STATUS, 1, 1);
    EXPECT_EQ(STATUS, 0, "nothing was written");
    EXPECT_EQ(rig_read(r, d.base + V_CONFIG, 8), 1000, "capacity");
    EXPECT_EQ(rig_read(r, d.base + V_CONFIG, 2), 1000, "2 bytes of it");
    EXPECT_EQ(rig_read(r, d.base + V_CONFIG + 1, 1), 1000 >> 8, "1 byte of it");
    EXPECT_EQ(rig_read(r, d.base + V_CONFIG + 0xf0, 4), ~0u, "nothing there");
    EXPECT_EQ(rig_read(r, d.base + V_CONFIG + 56, 8) >> 32, ~0u, "its end cuts");
}

// D5: bits come one by one, in any order, and some only when they may.
TEST(status)
{
    for (u32 value = 1; value < 256; value++) {
        driver_put(&d, V_STATUS, 0);
        EXPECT_EQ(STATUS, 0, "reset");
        driver_put(&d, V_STATUS, value);
        EXPECT_EQ(STATUS, value & ~0x4cu, "without features neither OK; NEEDS_RESET is ours");
    }
    EXPECT_EQ(driver_negotiate(&d, PLAIN), 11, "features");
    driver_put(&d, V_STATUS, 1);
    EXPECT_EQ(STATUS, 11, "bits cannot be cleared");
    driver_put(&d, V_STATUS, 15);
    EXPECT_EQ(STATUS, 15, "DRIVER_OK");
    driver_put(&d, V_STATUS, 0x10f);
    EXPECT_EQ(STATUS, 15, "8 bits");
    driver_put(&d, V_STATUS, 0);
    EXPECT_EQ(STATUS, 0, "reset");
}

TEST(features)
{
    u64 offered = driver_features(&d);

    for (unsigned bit = 0; bit < 64; bit++)
        EXPECT_EQ(driver_negotiate(&d, PLAIN | BIT(bit)), offered & BIT(bit) ? 11 : 3, "bit %u",
                  bit);
    EXPECT_EQ(driver_negotiate(&d, offered & ~PLAIN), 3, "the old interface");
    EXPECT_EQ(driver_negotiate(&d, offered), 11, "all");
    driver_put(&d, V_DRIVER_FEATURES, 0);
    EXPECT_EQ(virtio_of(r->vm.bus.devices[5])->features, offered, "they are settled");
}

TEST(queue_that_cannot_be)
{
    assert_true(driver_negotiate(&d, PLAIN) == 11);
    d.size = 7;
    driver_queue(&d, RINGS);
    EXPECT_EQ(driver_get(&d, V_READY), 0, "not ready");
    EXPECT_EQ(STATUS, 0x4b, "NEEDS_RESET");
    EXPECT_EQ(irq(), false, "nobody is told before DRIVER_OK");
    driver_put(&d, V_STATUS, 15);
    read_offer(0);
    EXPECT_EQ(disk->n_submitted, 0, "nothing is taken");
}

TEST(queue_that_is_ready_stays_as_it_is)
{
    driver_start(&d, PLAIN, RINGS);
    EXPECT_EQ(driver_get(&d, V_READY), 1, "ready");
    driver_put(&d, V_DESC, 0);
    driver_put(&d, V_QUEUE_SIZE, 256);
    driver_put(&d, V_USED + 4, ~0u);
    read_offer(0);
    EXPECT_EQ(disk->n_submitted, 1, "taken from where it was");
    ramdisk_finish_all(disk);
    bus_answer_kicks(&r->vm.bus);

    u32 head, len;
    assert_true(driver_used(&d, &head, &len));
}

TEST(nothing_before_driver_ok)
{
    assert_true(driver_negotiate(&d, PLAIN) == 11);
    driver_queue(&d, RINGS);
    read_offer(0);
    EXPECT_EQ(disk->n_submitted, 0, "nothing is taken");
    driver_put(&d, V_STATUS, 15);
    driver_put(&d, V_NOTIFY, 1); // no such queue
    driver_put(&d, V_NOTIFY, ~0u);
    EXPECT_EQ(disk->n_submitted, 0, "nothing is taken");
    driver_notify(&d);
    EXPECT_EQ(disk->n_submitted, 1, "now");
    ramdisk_finish_all(disk);
}

TEST(interrupt)
{
    driver_start(&d, PLAIN, RINGS);
    read_offer(0);
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 0, "not yet");
    r->v->waiting = true; // a VM that has nothing else to do is told at once
    ramdisk_finish_all(disk);
    bus_answer_kicks(&r->vm.bus);
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 1, "used");
    EXPECT_EQ(irq(), true, "line");
    driver_put(&d, V_ACK, 2);
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 1, "another bit");
    driver_put(&d, V_ACK, 1);
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 0, "acknowledged");
}

// 2.7.10: NO_NOTIFY in the used ring's flags.
TEST(once_all_is_taken_it_wants_to_be_notified)
{
    u16 flags;

    driver_start(&d, PLAIN, RINGS);
    read_offer(0);
    EXPECT_EQ(disk->n_submitted, 1, "taken");
    assert_true(gmem_read(&r->vm, gpa(d.used), &flags, sizeof flags));
    EXPECT_EQ(flags, 0, "flags");
    ramdisk_finish_all(disk);
}

// 2.7.7
TEST(no_interrupt_for_who_wants_none)
{
    u16 none = 1;
    u32 head, len;

    driver_start(&d, PLAIN, RINGS);
    assert_true(gmem_write(&r->vm, gpa(d.avail), &none, sizeof none));
    read_offer(0);
    ramdisk_finish_all(disk);
    bus_answer_kicks(&r->vm.bus);
    assert_true(driver_used(&d, &head, &len));
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 0, "nothing to say");
    EXPECT_EQ(irq(), false, "line");
}

TEST(nonsense_needs_a_reset)
{
    driver_start(&d, PLAIN, RINGS);
    driver_offer(&d, 4000);
    driver_notify(&d);
    EXPECT_EQ(STATUS, 0x4f, "NEEDS_RESET");
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 2, "a change of configuration");
    EXPECT_EQ(irq(), true, "line");
    read_offer(0);
    driver_put(&d, V_READY, 0);
    driver_put(&d, V_READY, 1);
    driver_notify(&d);
    EXPECT_EQ(disk->n_submitted, 0, "nothing is taken");
    driver_start(&d, PLAIN, RINGS);
    EXPECT_EQ(STATUS, 15, "as new");
    read_offer(0);
    EXPECT_EQ(disk->n_submitted, 1, "taken");
    ramdisk_finish_all(disk);
}

static enum bus_answer write_try(u64 reg, u64 value)
{
    u64          off;
    struct vdev *v = bus_find(&r->vm.bus, r->v, gpa(d.base + reg), 4, &off);

    assert_non_null(v);
    return vdev_access(v, off, 4, true, &value);
}

// D11: a reset while a request is under way is tried again until it is done, and then nothing is
// given back.
TEST(reset_in_flight)
{
    u32 head, len;

    driver_start(&d, PLAIN, RINGS);
    read_offer(0);
    EXPECT_EQ(write_try(V_STATUS, 0), BUS_AGAIN, "under way");
    EXPECT_EQ(STATUS, 15, "nothing has happened");
    EXPECT_EQ(bus_is_quiet(&r->vm.bus), false, "busy");
    ramdisk_finish_all(disk);
    EXPECT_EQ(bus_is_quiet(&r->vm.bus), true, "quiet");
    EXPECT_EQ(write_try(V_STATUS, 0), BUS_DONE, "quiet");
    EXPECT_EQ(STATUS, 0, "reset");
    bus_answer_kicks(&r->vm.bus);
    assert_false(driver_used(&d, &head, &len));
    EXPECT_EQ(irq(), false, "line");
    driver_start(&d, PLAIN, RINGS);
    read_offer(0);
    ramdisk_finish_all(disk);
    bus_answer_kicks(&r->vm.bus);
    assert_true(driver_used(&d, &head, &len));
    assert_false(driver_used(&d, &head, &len));
}

TEST(queue_taken_back_in_flight)
{
    u32 head, len;

    driver_start(&d, PLAIN, RINGS);
    read_offer(0);
    EXPECT_EQ(write_try(V_READY, 0), BUS_AGAIN, "under way");
    read_offer(2);
    EXPECT_EQ(disk->n_submitted, 1, "nothing more is taken");
    ramdisk_finish_all(disk);
    EXPECT_EQ(write_try(V_READY, 0), BUS_DONE, "quiet");
    EXPECT_EQ(driver_get(&d, V_READY), 0, "back");
    assert_true(driver_used(&d, &head, &len));
    EXPECT_EQ(head, 0, "what was under way was given back");
    driver_queue(&d, RINGS + 0x1000);
    read_offer(2);
    EXPECT_EQ(disk->n_submitted, 2, "elsewhere");
    ramdisk_finish_all(disk);
}

// D4, D5: of what its disk holds back the driver is told before the queue is its own again.  What it
// writes into the queue's registers then leads nowhere, whenever the device looks.
TEST(queue_taken_back_with_something_untold)
{
    u32 head, len;

    for (unsigned in_flight = 0; in_flight < 2; in_flight++) {
        driver_start(&d, PLAIN | VIRTIO_F_EVENT_IDX, RINGS);
        for (u16 i = 0; i < 2; i++)
            read_offer((u16)(2 * i)); // used_event is 0: the first is to be told of
        if (in_flight)
            EXPECT_EQ(write_try(V_READY, 0), BUS_AGAIN, "under way");
        ramdisk_finish_all(disk);
        if (!in_flight)
            bus_tick(&r->vm.bus, fake_hart.time);
        EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 0, "two are no lot");
        EXPECT_EQ(write_try(V_READY, 0), BUS_DONE, "quiet");
        EXPECT_EQ(driver_get(&d, V_READY), 0, "back");
        EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 1, "told");
        assert_true(driver_used(&d, &head, &len));
        driver_put(&d, V_QUEUE_SIZE, ~0u);
        driver_put(&d, V_AVAIL, 0xfffffffe);
        driver_put(&d, V_USED + 4, ~0u);
        for (unsigned i = 0; i < 10; i++) {
            fake_hart.time += 10000; // a millisecond
            bus_tick(&r->vm.bus, fake_hart.time);
            bus_idle(&r->vm.bus);
        }
        driver_notify(&d);
        EXPECT_EQ(STATUS, 15, "nothing is wrong");
        driver_put(&d, V_READY, 1);
        EXPECT_EQ(STATUS, 0x4f, "now something is");
        fake_hart.time += 10000;
        bus_idle(&r->vm.bus);
    }
}

// Of a queue that could not be made nothing is kept.
TEST(queue_that_fails_leaves_nothing)
{
    struct virtq *q = &virtio_of(r->vm.bus.devices[5])->queues[0], before;

    driver_start(&d, PLAIN, RINGS);
    EXPECT_EQ(write_try(V_READY, 0), BUS_DONE, "quiet");
    before = *q;
    driver_put(&d, V_DESC, (u32)DATA);
    driver_put(&d, V_AVAIL, (u32)DATA + 0x800);
    driver_put(&d, V_USED + 4, ~0u);
    driver_put(&d, V_READY, 1);
    EXPECT_EQ(STATUS, 0x4f, "it is nowhere");
    EXPECT_EQ(q->desc_at.a, before.desc_at.a, "descriptors");
    EXPECT_EQ(q->avail_at.a, before.avail_at.a, "avail");
    EXPECT_EQ(q->size, before.size, "size");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(says_what_it_is),
        RUN_ON_RIG(slots),
        RUN_ON_RIG(widths),
        RUN_ON_RIG(status),
        RUN_ON_RIG(features),
        RUN_ON_RIG(queue_that_cannot_be),
        RUN_ON_RIG(queue_that_is_ready_stays_as_it_is),
        RUN_ON_RIG(nothing_before_driver_ok),
        RUN_ON_RIG(interrupt),
        RUN_ON_RIG(once_all_is_taken_it_wants_to_be_notified),
        RUN_ON_RIG(no_interrupt_for_who_wants_none),
        RUN_ON_RIG(nonsense_needs_a_reset),
        RUN_ON_RIG(reset_in_flight),
        RUN_ON_RIG(queue_taken_back_in_flight),
        RUN_ON_RIG(queue_taken_back_with_something_untold),
        RUN_ON_RIG(queue_that_fails_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

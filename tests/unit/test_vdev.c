// SPDX-License-Identifier: MIT
// The bus and the small devices: clock of the day, CLINT, finisher, empty slots.
#include "unit.h"

#include "vdev/board.h"
#include "vdev/devices.h"

static struct rig *r;

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r              = rig_make(&(struct rig_options){ .n_vcpus = 2 });
    fake_hart.time = 1000;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

// Every device: any offset, any legal width, both ways; and nothing beyond its end.
TEST(every_device_every_offset)
{
    u64 seed = 21, value;

    r->v->mode = MODE_M;
    for (size_t i = 0; i < board_n_devices; i++) {
        const struct vdev_ops *ops = board_devices[i];
        u64                    end = min_u64(ops->size, 0x10000);

        for (u64 off = 0; off < end; off++)
            for (unsigned size = 1; size <= 8; size *= 2)
                for (int write = 0; write < 2; write++) {
                    bool legal = ops->sizes & size && off % size == 0 && off + size <= ops->size;

                    value = dice(&seed);
                    if (!legal)
                        EXPECT_EQ(rig_access(r, ops->base + off, size, write, &value), false,
                                  "%s at %lx, %u bytes", ops->name, off, size);
                    else if (rig_access(r, ops->base + off, size, write, &value) && !write &&
                             size < 8)
                        EXPECT_EQ(value >> (8 * size), 0, "%s at %lx", ops->name, off);
                    r->vm.state = VM_RUNNING;
                }
    }
}

// The empty slots lie under the devices that are in some of them.
static bool is_in_a_slot(const struct vdev_ops *a, const struct vdev_ops *b)
{
    return b == &vslots_ops && a->base >= b->base && a->base + a->size <= b->base + b->size;
}

TEST(devices_do_not_overlap_nor_touch_ram)
{
    for (size_t i = 0; i < board_n_devices; i++)
        for (size_t j = 0; j < i; j++) {
            const struct vdev_ops *a = board_devices[i], *b = board_devices[j];

            assert_true(a->base + a->size <= b->base || b->base + b->size <= a->base ||
                        is_in_a_slot(b, a));
            assert_true(a->base + a->size <= VM_RAM_BASE);
            assert_true(!a->irq || a->irq != b->irq);
        }
}

TEST(nobody_owns_the_rest)
{
    static const u64 holes[] = { 0,           0x1000,         0x40000000,
                                 VM_RAM_BASE, VUART_BASE - 4, VUART_BASE + 8,
                                 ~3ul,        1ul << 63 };
    u64              value   = 0;

    for (size_t i = 0; i < ARRAY_LEN(holes); i++) {
        assert_false(rig_access(r, holes[i], 4, false, &value));
        assert_false(rig_access(r, holes[i], 4, true, &value));
    }
}

TEST(bus_is_full_at_its_size)
{
    struct bus  b = { 0 };
    struct vdev d = { 0 };

    for (unsigned i = 0; i < BUS_DEVICES_MAX; i++)
        assert_true(bus_add(&b, &d));
    assert_false(bus_add(&b, &d));
}

TEST(firmware_devices_are_closed_to_s)
{
    u64 value = 0;

    assert_false(rig_access(r, VCLINT_BASE, 4, false, &value));
    r->v->mode = MODE_U;
    assert_false(rig_access(r, VCLINT_BASE, 4, false, &value));
    r->v->mode = MODE_M;
    assert_true(rig_access(r, VCLINT_BASE, 4, false, &value));
}

// Device-tree names that the monitor's `show` prints end somewhere.
static char   shown[OUT_MAX + 1];
static size_t n_shown;

static void show_write(struct out *o, const char *text, size_t len)
{
    (void)o;
    n_shown = len;
    memcpy(shown, text, len);
}

TEST(devices_show_themselves)
{
    struct out o = { show_write };

    for (unsigned i = 0; i < r->vm.bus.n; i++) {
        struct vdev *d = r->vm.bus.devices[i];

        n_shown = 0;
        d->ops->show(d, &o);
        assert_true(n_shown >= strlen(d->ops->name) &&
                    !memcmp(shown, d->ops->name, strlen(d->ops->name)));
    }
}

// Clock of the day

#define RTC(reg) (VRTC_BASE + (reg))

static u64 rtc_time(void)
{
    u64 low = rig_read(r, RTC(0), 4);

    return low | rig_read(r, RTC(4), 4) << 32;
}

static bool rtc_irq(void)
{
    u64 pending = rig_read(r, VPLIC_BASE + 0x1000, 4);

    return pending & BIT(VRTC_IRQ);
}

static void pass(u64 ns)
{
    chips.wallclock_ns += ns;
    fake_hart.time += ns / 100;
    timer_check(r->v);
}

TEST(time_of_day)
{
    u64 now = chips.wallclock_ns;

    EXPECT_EQ(rtc_time(), now, "time");
    (void)rig_read(r, RTC(0), 4);
    chips.wallclock_ns += 1ul << 33;
    EXPECT_EQ(rig_read(r, RTC(4), 4), now >> 32, "low latches high");
    rig_write(r, RTC(4), 4, 0x12345678);
    rig_write(r, RTC(0), 4, 0x9abcdef0);
    EXPECT_EQ(rtc_time(), 0x123456789abcdef0, "as set");
    chips.wallclock_ns += 5000;
    EXPECT_EQ(rtc_time(), 0x123456789abcdef0 + 5000, "and it goes on");
    vm_reset(&r->vm);
    EXPECT_EQ(rtc_time(), chips.wallclock_ns, "a reset forgets the setting");
}

static void alarm_set(u64 at)
{
    rig_write(r, RTC(0x0c), 4, at >> 32);
    rig_write(r, RTC(0x08), 4, at & 0xffffffff);
}

TEST(alarm_fires_once)
{
    rig_write(r, RTC(0x10), 4, 1);
    alarm_set(chips.wallclock_ns + 1000000);
    EXPECT_EQ(rig_read(r, RTC(0x18), 4), 1, "armed");
    assert_true(r->vm.bus.deadline > fake_hart.time && r->vm.bus.deadline < fake_hart.time + 10100);
    pass(990000);
    assert_false(rtc_irq());
    pass(20000);
    assert_true(rtc_irq());
    EXPECT_EQ(rig_read(r, RTC(0x18), 4), 0, "no longer armed");
    EXPECT_EQ(r->vm.bus.deadline, ~0ul, "nothing more to do");
}

TEST(alarm_in_the_past_fires_at_once)
{
    rig_write(r, RTC(0x10), 4, 1);
    alarm_set(chips.wallclock_ns - 1);
    assert_true(rtc_irq());
}

TEST(alarm_can_be_cleared)
{
    rig_write(r, RTC(0x10), 4, 1);
    alarm_set(chips.wallclock_ns + 1000);
    rig_write(r, RTC(0x14), 4, 1);
    EXPECT_EQ(rig_read(r, RTC(0x18), 4), 0, "not armed");
    pass(5000);
    assert_false(rtc_irq());
}

TEST(alarms_far_away_and_hostile)
{
    static const u64 at[] = { 0, 1, ~0ul, ~0ul >> 1, 1ul << 63, 1ul << 32 };

    rig_write(r, RTC(0x10), 4, 1);
    for (size_t i = 0; i < ARRAY_LEN(at); i++) {
        alarm_set(at[i]);
        for (int n = 0; n < 10; n++)
            pass(3600ul * 1000000000);
        rig_write(r, RTC(4), 4, (u32)at[i]);
    }
    // A loop that the guest could lengthen would show as a tick that is due again at once.
    alarm_set(chips.wallclock_ns * 2);
    assert_true(r->vm.bus.deadline > fake_hart.time);
}

TEST(alarm_interrupt_can_be_masked)
{
    alarm_set(chips.wallclock_ns - 1);
    assert_false(rtc_irq());
    rig_write(r, RTC(0x10), 4, 1);
    assert_true(rtc_irq());
    rig_write(r, RTC(0x1c), 4, 1);
    EXPECT_EQ(rig_read(r, RTC(0x10), 4), 1, "still enabled");
}

// CLINT

TEST(software_interrupts)
{
    r->v->mode = MODE_M;
    for (u32 h = 0; h < 2; h++) {
        rig_write(r, VCLINT_BASE + 4 * h, 4, 1);
        assert_true(r->list[h]->irq_lines & BIT(IRQ_MSI));
        EXPECT_EQ(rig_read(r, VCLINT_BASE + 4 * h, 4), 1, "msip");
        rig_write(r, VCLINT_BASE + 4 * h, 4, 0xfffffffe);
        assert_false(r->list[h]->irq_lines & BIT(IRQ_MSI));
    }
    rig_write(r, VCLINT_BASE + 8, 4, 1); // no such hart
    EXPECT_EQ(rig_read(r, VCLINT_BASE + 8, 4), 0, "no such hart");
}

TEST(machine_timer)
{
    r->v->mode = MODE_M;
    EXPECT_EQ(rig_read(r, VCLINT_BASE + 0xbff8, 8), 1000, "mtime");
    fake_hart.time = 0x123456789a;
    EXPECT_EQ(rig_read(r, VCLINT_BASE + 0xbff8, 4), 0x3456789a, "its lower half");
    EXPECT_EQ(rig_read(r, VCLINT_BASE + 0xbffc, 4), 0x12, "its upper half");
    rig_write(r, VCLINT_BASE + 0xbff8, 8, 0);
    EXPECT_EQ(rig_read(r, VCLINT_BASE + 0xbff8, 8), 0x123456789a, "it cannot be set");
    rig_write(r, VCLINT_BASE + 0x4000, 4, 0x3456789b);
    rig_write(r, VCLINT_BASE + 0x4004, 4, 0x12);
    EXPECT_EQ(rig_read(r, VCLINT_BASE + 0x4000, 8), 0x123456789b, "mtimecmp");
    assert_false(r->v->irq_lines & BIT(IRQ_MTI));
    fake_hart.time++;
    timer_check(r->v);
    assert_true(r->v->irq_lines & BIT(IRQ_MTI));
    rig_write(r, VCLINT_BASE + 0x4000, 8, ~0ul);
    assert_false(r->v->irq_lines & BIT(IRQ_MTI));
    EXPECT_EQ(rig_read(r, VCLINT_BASE + 0xc000, 4), 0, "nothing behind mtime");
}

// Finisher

TEST(finisher)
{
    static const struct {
        u32         value;
        enum vm_end end;
        bool        ends;
    } cases[] = {
        { 0x5555, VM_END_OFF, true },
        { 0x7777, VM_END_RESET, true },
        { 0x13333, VM_END_FAIL, true },
        { 0x3333, VM_END_FAIL, true },
        { 0, 0, false },
        { 0x1234, 0, false },
        { 0x5554, 0, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        r->vm.state = VM_RUNNING;
        rig_write(r, VFINISHER_BASE, 4, cases[i].value);
        EXPECT_EQ(r->vm.state == VM_STOPPED, cases[i].ends, "%x", cases[i].value);
        if (cases[i].ends)
            EXPECT_EQ(r->vm.end, cases[i].end, "%x", cases[i].value);
    }
    r->vm.state = VM_RUNNING;
    rig_write(r, VFINISHER_BASE + 4, 4, 0x5555);
    EXPECT_EQ(r->vm.state, VM_RUNNING, "another register");
    EXPECT_EQ(rig_read(r, VFINISHER_BASE, 4), 0, "it reads as 0");
}

TEST(empty_slots)
{
    for (u64 n = 0; n < 8; n++) {
        u64 slot = VSLOTS_BASE + n * 0x1000;

        if (n == 3) // there is entropy
            continue;

        EXPECT_EQ(rig_read(r, slot, 4), 0x74726976, "the magic value");
        EXPECT_EQ(rig_read(r, slot + 8, 4), 0, "nobody is there");
        EXPECT_EQ(rig_read(r, slot, 8), 0x0000000274726976, "two registers at once");
        rig_write(r, slot + 0x70, 4, 0xff);
        EXPECT_EQ(rig_read(r, slot + 0x70, 4), 0, "status");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(every_device_every_offset),
        RUN_ON_RIG(devices_do_not_overlap_nor_touch_ram),
        RUN_ON_RIG(nobody_owns_the_rest),
        RUN_ON_RIG(bus_is_full_at_its_size),
        RUN_ON_RIG(firmware_devices_are_closed_to_s),
        RUN_ON_RIG(devices_show_themselves),
        RUN_ON_RIG(time_of_day),
        RUN_ON_RIG(alarm_fires_once),
        RUN_ON_RIG(alarm_in_the_past_fires_at_once),
        RUN_ON_RIG(alarm_can_be_cleared),
        RUN_ON_RIG(alarms_far_away_and_hostile),
        RUN_ON_RIG(alarm_interrupt_can_be_masked),
        RUN_ON_RIG(software_interrupts),
        RUN_ON_RIG(machine_timer),
        RUN_ON_RIG(finisher),
        RUN_ON_RIG(empty_slots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// Steal time (SBI 2.0, 16): where a guest may have it, what is written there, and when.
#include "unit.h"

#include "dev/machine.h"
#include "vm/sched.h"

#define AT       (VM_RAM_BASE + 0x1000)
#define RAM_SIZE (16 * MIB)

static struct rig *r, *other;

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r              = rig_make(&(struct rig_options){ .n_vcpus = 2, .ram_size = RAM_SIZE });
    fake_hart.time = 1000;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

static s64 place(u64 low, u64 high, u64 flags)
{
    struct vcpu *v = r->v;

    v->f.x[REG_A7]     = SBI_EXT_STA;
    v->f.x[REG_A6]     = 0;
    v->f.x[REG_A0]     = low;
    v->f.x[REG_A0 + 1] = high;
    v->f.x[REG_A0 + 2] = flags;
    EXPECT_EQ(sbi_call(v), NEXT, "outcome");
    EXPECT_EQ(v->f.x[REG_A1], 0, "value");
    return (s64)v->f.x[REG_A0];
}

static u64 steal_ns(void)
{
    return rig_word(r, AT + 8);
}

static u32 sequence(void)
{
    return (u32)rig_word(r, AT);
}

static u64 preempted(void)
{
    return rig_word(r, AT + 16);
}

TEST(the_place_is_cleared)
{
    for (u64 at = AT - 64; at < AT + 128; at += 8)
        rig_word_set(r, at, ~0ul);
    EXPECT_EQ(place(AT, 0, 0), SBI_SUCCESS, "a good place");
    for (u64 at = AT - 64; at < AT + 128; at += 8)
        EXPECT_EQ(rig_word(r, at), at >= AT && at < AT + 64 ? 0 : ~0ul, "%lx", at);
}

TEST(bad_places_are_refused)
{
    static const struct {
        u64 low, high, flags;
        s64 error;
    } calls[] = {
        { AT, 0, 1, SBI_ERR_INVALID_PARAM },
        { ~0ul, ~0ul, 1, SBI_ERR_INVALID_PARAM },
        { AT + 1, 0, 0, SBI_ERR_INVALID_PARAM },
        { AT + 32, 0, 0, SBI_ERR_INVALID_PARAM },
        { ~0ul, 0, 0, SBI_ERR_INVALID_PARAM },
        { AT, 1, 0, SBI_ERR_INVALID_ADDRESS },
        { AT, ~0ul, 0, SBI_ERR_INVALID_ADDRESS },
        { 0, 0, 0, SBI_ERR_INVALID_ADDRESS },
        { 0x10000000, 0, 0, SBI_ERR_INVALID_ADDRESS },
        { VM_RAM_BASE - 64, 0, 0, SBI_ERR_INVALID_ADDRESS },
        { VM_RAM_BASE + RAM_SIZE, 0, 0, SBI_ERR_INVALID_ADDRESS },
        { ~63ul, 0, 0, SBI_ERR_INVALID_ADDRESS },
        { ~63ul, ~0ul, 0, SBI_ERR_INVALID_ADDRESS },
    };

    EXPECT_EQ(place(AT, 0, 0), SBI_SUCCESS, "a good place");
    for (size_t i = 0; i < ARRAY_LEN(calls); i++)
        EXPECT_EQ(place(calls[i].low, calls[i].high, calls[i].flags), calls[i].error, "call %zu", i);
    EXPECT_EQ(place(VM_RAM_BASE + RAM_SIZE - 64, 0, 0), SBI_SUCCESS, "the last bytes");
    EXPECT_EQ(place(AT, 0, 0), SBI_SUCCESS, "again");
    r->v->sched.stolen += 7;
    steal_tell(r->v);
    EXPECT_EQ(steal_ns(), 700, "told at the new place");
    EXPECT_EQ(rig_word(r, VM_RAM_BASE + RAM_SIZE - 56), 0, "and not at the old one");
}

TEST(time_is_told_in_nanoseconds_since_the_call)
{
    r->v->sched.stolen = 12345; // before anybody asked
    EXPECT_EQ(place(AT, 0, 0), SBI_SUCCESS, "a good place");
    steal_tell(r->v);
    EXPECT_EQ(steal_ns(), 0, "nothing yet");
    EXPECT_EQ(sequence(), 0, "nothing is written for nothing");
    r->v->sched.stolen += 3;
    steal_tell(r->v);
    EXPECT_EQ(steal_ns(), 300, "3 ticks of 100 ns");
    EXPECT_EQ(sequence(), 2, "even again");
    r->v->sched.stolen += machine.timebase_hz * 100000000; // three years: no multiplication wraps
    steal_tell(r->v);
    EXPECT_EQ(steal_ns(), 100000000000000300ul, "years");
    EXPECT_EQ(sequence(), 4, "even again");
    EXPECT_EQ(rig_word(r, AT) >> 32, 0, "flags");
}

TEST(nothing_is_read_back)
{
    EXPECT_EQ(place(AT, 0, 0), SBI_SUCCESS, "a good place");
    rig_word_set(r, AT, ~0ul);
    rig_word_set(r, AT + 8, ~0ul);
    r->v->sched.stolen += 1;
    steal_tell(r->v);
    EXPECT_EQ(sequence(), 2, "the monitor's own");
    EXPECT_EQ(steal_ns(), 100, "likewise");
}

TEST(it_ends_when_asked_and_at_reset)
{
    for (int reset = 0; reset < 2; reset++) {
        EXPECT_EQ(place(AT, 0, 0), SBI_SUCCESS, "a good place");
        reset ? vcpu_reset(r->v) : (void)place(~0ul, ~0ul, 0);
        r->v->sched.stolen += 9;
        steal_tell(r->v);
        steal_tell_preempted(r->v);
        for (u64 at = AT; at < AT + 64; at += 8)
            EXPECT_EQ(rig_word(r, at), 0, "%lx", at);
    }
}

// --- on a hart, beside another -------------------------------------------------------------------

static unsigned entries;
static u64      last_steal, begun;

static void guest(struct frame *f)
{
    struct vcpu *v = vcpu_of_frame(f);

    f->cause = CAUSE_INTERRUPT | IRQ_MTI;
    fake_hart.irq_pending |= BIT(IRQ_MTI);
    fake_hart.time = chips.armed == ~0ul ? fake_hart.time + 100 : chips.armed;
    if (++entries > 400)
        for (unsigned m = 0; m < n_vms; m++)
            vm_stop(vms[m], VM_END_OFF, "the test is over");
    if (v != r->v) {
        if (entries > 1 && r->v->sched.place == PLACE_READY)
            EXPECT_EQ(preempted(), 1, "it has lost the hart");
        return;
    }
    EXPECT_EQ(preempted(), 0, "it runs");
    EXPECT_EQ(sequence() % 2, 0, "no update is in progress");
    EXPECT_EQ(steal_ns(), 100 * (sched_stolen(v) - v->steal.before), "all is told");
    assert_true(steal_ns() >= last_steal);
    last_steal = steal_ns();
}

TEST(beside_one_that_spins_half_is_stolen)
{
    u64 ran;

    other            = rig_make(NULL);
    fake_hart.on_run = guest;
    fake_hart.time   = begun = 1000;
    entries          = 0;
    last_steal       = 0;
    EXPECT_EQ(place(AT, 0, 0), SBI_SUCCESS, "a good place");
    sched_run(false);
    ran = sched_ran(r->v);
    assert_true(last_steal / 100 > ran * 9 / 10 && last_steal / 100 < ran * 11 / 10);
    EXPECT_EQ(preempted(), 0, "a VM that has stopped has lost nothing");
    rig_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(the_place_is_cleared),
        RUN_ON_RIG(bad_places_are_refused),
        RUN_ON_RIG(time_is_told_in_nanoseconds_since_the_call),
        RUN_ON_RIG(nothing_is_read_back),
        RUN_ON_RIG(it_ends_when_asked_and_at_reset),
        RUN_ON_RIG(beside_one_that_spins_half_is_stolen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

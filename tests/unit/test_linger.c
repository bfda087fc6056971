// SPDX-License-Identifier: MIT
// A vCPU that sleeps looks for a moment, in place, for what a device is about to have.
#include "unit.h"

#include "dev/machine.h"
#include "vm/share.h"

#define US (machine.timebase_hz / 1000000)

// Something is under way in it until `over`; then a look raises the line of its VM's first vCPU.
struct slow {
    struct vdev dev; // must be first
    bool        over;
    unsigned    n_looks, n_lingering; // all, and those while somebody asks again and again
    bool        lingers;              // at the last one
    u64         costs;                // each look, in instructions
};

static struct rig  *r;
static struct slow *slow;  // the rig frees it
static unsigned     turns; // entries of its guest
static u64          slept; // when the hart slept first
static u64          resumed_at; // where its guest went on
static unsigned     over_after; // so many times awake; 0: never

static struct slow *slow_of(const struct vdev *d)
{
    return CONTAINER_OF((struct vdev *)d, struct slow, dev);
}

static void slow_tick(struct vdev *d)
{
    struct slow *s = slow_of(d);

    s->n_looks++;
    fake_hart.instret += s->costs;
    s->lingers = d->vm->bus.lingers;
    s->n_lingering += s->lingers;
    if (!s->over)
        return;
    vdev_awaited_set(d, false);
    vcpu_line_set(d->vm->vcpus[0], BIT(IRQ_SEI), true);
}

static bool slow_is_over(const struct vdev *d)
{
    return slow_of(d)->over;
}

static void slow_reset(struct vdev *d)
{
    (void)d;
}

static const struct vdev_ops slow_ops = {
    .name    = "slow",
    .sizes   = 4,
    .base    = 0x20000000,
    .size    = 0x100,
    .reset   = slow_reset,
    .tick    = slow_tick,
    .is_over = slow_is_over,
};

// It sleeps, and stops when it has been woken.
static void guest(struct frame *f)
{
    struct vcpu *v = vcpu_of_frame(f);

    f->cause = EXC_ILLEGAL_INSN;
    f->tval  = 0x10500073; // wfi
    if (turns++) {
        resumed_at = f->pc;
        vm_stop(v->vm, VM_END_OFF, "the test is over");
        f->cause = CAUSE_INTERRUPT | IRQ_MTI;
    }
}

// The hart sleeps: what the device had to do has come meanwhile.
static void sleeps(void)
{
    slept      = slept ? slept : fake_hart.time;
    slow->over = true;
    vdev_kick(&slow->dev);
}

static void passes(void)
{
    if (over_after && fake_hart.n_relax == over_after)
        slow->over = true;
}

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r    = rig_make(NULL);
    slow = rig_device(r, &slow_ops, sizeof *slow);
    vdev_awaited_set(&slow->dev, true);
    turns = over_after = 0;
    slept              = 0;
    r->v->csr.mie      = BIT(IRQ_SEI);
    fake_hart.time     = 1000000;
    fake_hart.on_run   = guest;
    fake_hart.on_wait  = sleeps;
    fake_hart.on_relax = passes;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

TEST(what_comes_soon_finds_it_awake)
{
    over_after = 100;
    sched_run(false);
    EXPECT_EQ(turns, 2, "it went on");
    EXPECT_EQ(fake_hart.n_wait, 0, "the hart did not sleep");
    EXPECT_EQ(r->v->stats.waits, 1, "but it did");
    EXPECT_EQ(fake_hart.n_relax, 100, "so long");
    EXPECT_EQ(slow->n_lingering, 1, "the device was told that somebody asks");
    EXPECT_EQ(slow->n_looks, 2, "and looked at when there was something");
    EXPECT_EQ(slow->lingers, false, "and nobody asks any more");
    EXPECT_EQ(r->vm.bus.lingers, false, "and nobody asks any more");
}

// What woke it is an interrupt, not just the end of its sleep: that comes first.
TEST(an_interrupt_that_is_enabled_is_taken)
{
    over_after = 5;
    r->v->csr.mstatus |= STATUS_SIE;
    r->v->csr.stvec = 0x80001000;
    sched_run(false);
    EXPECT_EQ(turns, 2, "it went on");
    EXPECT_EQ(r->v->stats.injected, 1, "with an interrupt");
    EXPECT_EQ(r->v->csr.scause, CAUSE_INTERRUPT | IRQ_SEI, "with an interrupt");
    EXPECT_EQ(resumed_at, 0x80001000, "at its vector");
}

// Found by the first look: nothing to wait for.
TEST(what_is_there_is_not_waited_for)
{
    slow->over = true;
    sched_run(false);
    EXPECT_EQ(turns, 2, "it went on");
    EXPECT_EQ(fake_hart.n_relax + fake_hart.n_wait, 0, "at once");
}

TEST(in_vain)
{
    sched_run(false);
    EXPECT_EQ(turns, 2, "woken by a kick");
    EXPECT_EQ(fake_hart.n_wait, 1, "for it slept at last");
    assert_true(slept >= 1000000 + 600 * US && slept < 1000000 + 650 * US);
    EXPECT_EQ(slow->n_lingering, 1, "nobody asked while it slept");
    EXPECT_EQ(r->vm.bus.lingers, false, "nobody asks");
}

TEST(nothing_under_way)
{
    vdev_awaited_set(&slow->dev, false);
    sched_run(false);
    EXPECT_EQ(fake_hart.n_relax, 0, "there is nothing to look for");
    EXPECT_EQ(slow->n_lingering, 0, "nor anybody to tell");
}

// From here on without the scheduler's loop: v sleeps on its hart.
static void asleep(void)
{
    __atomic_store_n(&r->v->pending, 0, __ATOMIC_RELAXED);
    r->v->waiting     = true;
    r->v->sched.place = PLACE_RUNNING;
    runq_here()->running   = r->v;
    runq_here()->up        = true;
    runq_here()->idle      = false;
    runq_here()->slice_end = ~0ul;
}

static void awaits_no_more(void)
{
    vdev_awaited_set(&slow->dev, false);
}

// Who was told that somebody asks is told that nobody does any more, or it would wait for that.
TEST(one_that_awaits_nothing_any_more)
{
    asleep();
    fake_hart.on_relax = awaits_no_more;
    EXPECT_EQ(sched_linger(r->v), false, "in vain");
    EXPECT_EQ(slow->n_looks, 2, "told twice");
    EXPECT_EQ(slow->n_lingering, 1, "once that somebody asks");
    EXPECT_EQ(slow->lingers, false, "and then that nobody does");
    EXPECT_EQ(fake_hart.n_relax, 1, "at once");
}

// A device wants to be called now: that is done, and not waited for.
TEST(not_with_a_deadline_that_has_come)
{
    asleep();
    vdev_deadline_set(&slow->dev, 0);
    EXPECT_EQ(sched_linger(r->v), false, "it gives way");
    EXPECT_EQ(slow->n_looks, 1, "after one look");
    EXPECT_EQ(slow->n_lingering + fake_hart.n_relax, 0, "at once");
    EXPECT_EQ(r->v->linger_skips + r->v->linger_lost, 0, "not in vain");
}

// Its timer has rung while it fell asleep: it goes on where it is, however often it looked in vain.
TEST(one_whose_timer_has_rung_stays)
{
    asleep();
    r->v->linger_skips = r->v->linger_lost = 5;
    r->v->csr.mie                          = BIT(IRQ_STI);
    r->v->csr.stimecmp                     = fake_hart.time;
    EXPECT_EQ(sched_linger(r->v), true, "it goes on");
    EXPECT_EQ(slow->n_lingering + fake_hart.n_relax, 0, "at once");
    EXPECT_EQ(r->v->linger_skips, 5, "which says nothing of its disk");
    EXPECT_EQ(runq_here()->stands, 0, "its time goes on");
    vcpu_line_set(r->v, BIT(IRQ_STI), false);
    asleep();
    r->v->csr.stimecmp     = fake_hart.time;
    runq_here()->slice_end = fake_hart.time;
    EXPECT_EQ(sched_linger(r->v), false, "but not beyond its slice");
    runq_here()->slice_end = ~0ul;
    EXPECT_EQ(sched_linger(r->v), true, "in which it would have stayed");
}

// Who is suspended begins anew when it is woken, which is not for this place.
TEST(not_while_suspended)
{
    asleep();
    r->v->hsm = HSM_SUSPENDED;
    EXPECT_EQ(sched_linger(r->v), false, "it gives way");
    EXPECT_EQ(slow->n_looks, 0, "at once");
}

// After two in vain one wait goes by, then three, seven and so on; one that is not starts anew.
TEST(who_looks_in_vain_looks_less_often)
{
    static const unsigned pause[] = { 0, 1, 3, 7, 15, 31, 63, 63 };
    unsigned              n;

    asleep();
    for (unsigned i = 0; i < ARRAY_LEN(pause); i++) {
        EXPECT_EQ(sched_linger(r->v), false, "in vain, %u", i);
        assert_true(fake_hart.n_relax > 0);
        fake_hart.n_relax = 0;
        for (n = 0; n < pause[i]; n++)
            EXPECT_EQ(sched_linger(r->v) || fake_hart.n_relax, false, "%u of %u", n, pause[i]);
    }
    over_after = 5;
    EXPECT_EQ(sched_linger(r->v), true, "not in vain");
    over_after = 0;
    asleep();
    slow->over = false;
    vdev_awaited_set(&slow->dev, true);
    vcpu_line_set(r->v, BIT(IRQ_SEI), false);
    for (unsigned i = 0; i < 2; i++) {
        fake_hart.n_relax = 0;
        EXPECT_EQ(sched_linger(r->v), false, "in vain, %u", i);
        assert_true(fake_hart.n_relax > 0);
    }
    fake_hart.n_relax = 0;
    EXPECT_EQ(sched_linger(r->v), false, "one goes by");
    EXPECT_EQ(fake_hart.n_relax, 0, "one goes by");
    EXPECT_EQ(sched_linger(r->v), false, "and no more");
    assert_true(fake_hart.n_relax > 0);
    vcpu_reset(r->v);
    EXPECT_EQ(r->v->linger_skips + r->v->linger_lost, 0, "a VM that starts again knows of none");
}

TEST(not_while_another_wants_the_hart)
{
    struct rig *other = rig_make(NULL);

    asleep();
    other->v->sched.place = PLACE_READY;
    EXPECT_EQ(sched_linger(r->v), false, "it gives way");
    EXPECT_EQ(fake_hart.n_relax, 0, "at once");
    other->vm.harts = BIT(5);
    EXPECT_EQ(sched_linger(r->v), false, "in vain");
    assert_true(fake_hart.n_relax > 0); // for the other cannot have this one
    fake_hart.n_relax  = 0;
    r->v->linger_skips = 0;
    other->vm.harts    = ~0ul;
    other->vm.held     = true;
    EXPECT_EQ(sched_linger(r->v), false, "in vain");
    assert_true(fake_hart.n_relax > 0); // nor now
    other->vm.held          = false;
    fake_hart.n_relax       = 0;
    r->v->linger_skips      = 0;
    other->v->sched.place   = PLACE_SLEEPING;
    other->v->sched.wake_at = fake_hart.time + 50 * US;
    EXPECT_EQ(sched_linger(r->v), false, "until it wakes");
    assert_true(fake_hart.time >= other->v->sched.wake_at);
    assert_true(fake_hart.time < other->v->sched.wake_at + 10 * US);
    r->v->linger_skips      = 0;
    other->v->sched.hart    = 1;
    other->v->sched.wake_at = fake_hart.time + 50 * US;
    EXPECT_EQ(sched_linger(r->v), false, "in vain");
    assert_true(fake_hart.time > other->v->sched.wake_at + 100 * US); // it is another's affair
    rig_free(other);
}

TEST(not_beyond_its_own_deadline)
{
    u64 begin = fake_hart.time;

    asleep();
    r->v->csr.mie      = BIT(IRQ_SEI) | BIT(IRQ_STI);
    r->v->csr.stimecmp = begin + 50 * US;
    EXPECT_EQ(sched_linger(r->v), true, "its timer has rung");
    assert_true(fake_hart.time >= begin + 50 * US && fake_hart.time < begin + 60 * US);
}

TEST(not_beyond_its_slice)
{
    u64 begin = fake_hart.time;

    asleep();
    runq_here()->slice_end = begin + 70 * US;
    EXPECT_EQ(sched_linger(r->v), false, "others may have the hart");
    assert_true(fake_hart.time >= begin + 70 * US && fake_hart.time < begin + 80 * US);
}

static void interrupts_soon(void)
{
    if (fake_hart.n_relax == 20)
        fake_hart.irq_pending = fake_hart.irq_enabled = BIT(IRQ_MEI);
}

// Whatever the hart is interrupted for is handled as always; and it is not in vain.
TEST(an_interrupt_of_the_machine_ends_it)
{
    asleep();
    fake_hart.on_relax = interrupts_soon;
    EXPECT_EQ(sched_linger(r->v), false, "it gives way");
    EXPECT_EQ(fake_hart.n_relax, 20, "at once");
    EXPECT_EQ(r->v->linger_skips, 0, "not in vain");
}

static bool kick_is_for_it;

static void kicked_soon(void)
{
    if (fake_hart.n_relax != 20)
        return;
    slow->over = kick_is_for_it; // by another hart, which is not asked about this
    vdev_kick(&slow->dev);
}

TEST(a_kick_ends_it)
{
    kick_is_for_it = true;
    asleep();
    fake_hart.on_relax = kicked_soon;
    EXPECT_EQ(sched_linger(r->v), true, "it goes on");
    EXPECT_EQ(fake_hart.n_relax, 20, "at once");
    EXPECT_EQ(pending_of(r->v) & PEND_DEVICE, 0, "and the kick was answered");
}

// For something that is not what it waits for.
TEST(another_kick_ends_it)
{
    kick_is_for_it = false;
    asleep();
    fake_hart.on_relax = kicked_soon;
    EXPECT_EQ(sched_linger(r->v), false, "it gives way");
    EXPECT_EQ(fake_hart.n_relax, 20, "at once");
    EXPECT_EQ(pending_of(r->v) & PEND_DEVICE, 0, "and the kick was answered");
    EXPECT_EQ(slow->n_looks, 3, "and the kick was answered");
    EXPECT_EQ(r->v->linger_skips, 0, "not in vain");
}

static void paused_soon(void)
{
    if (fake_hart.n_relax != 20)
        return;
    vm_state_set(&r->vm, VM_PAUSED);
    pend(r->v, PEND_RESCHED);
    slow->over = true;
}

TEST(a_paused_vm_stands_still)
{
    asleep();
    fake_hart.on_relax = paused_soon;
    EXPECT_EQ(sched_linger(r->v), false, "it does not run");
    EXPECT_EQ(fake_hart.n_relax, 20, "from then on");
    EXPECT_EQ(slow->n_looks, 1, "nor do its devices");
    EXPECT_EQ(r->vm.bus.lingers, false, "and nobody asks");
}

static void paused_meanwhile(void)
{
    if (fake_hart.n_relax == 20)
        vm_pause(&r->vm);
}

static void goes_on(void)
{
    if (vm_state(&r->vm) == VM_PAUSED)
        vm_resume(&r->vm);
    else
        sleeps();
}

// Nobody asks while it is paused, and it hears of that when it goes on: else it would not interrupt.
TEST(one_that_was_paused_meanwhile_is_told)
{
    fake_hart.on_relax = paused_meanwhile;
    fake_hart.on_wait  = goes_on;
    sched_run(false);
    EXPECT_EQ(turns, 2, "it went on");
    EXPECT_EQ(slow->n_lingering, 1, "told that somebody asks");
    EXPECT_EQ(slow->n_looks, 3, "and that nobody does, and called when it was over");
    EXPECT_EQ(fake_hart.n_wait, 2, "when it was paused, and when it was told");
}

// Told to give way, to stop or to do anything else: then there is no time for it.
TEST(not_with_something_pending)
{
    asleep();
    pend(r->v, PEND_STOP);
    EXPECT_EQ(sched_linger(r->v), false, "it gives way");
    EXPECT_EQ(slow->n_looks, 0, "at once");
    __atomic_store_n(&r->v->pending, 0, __ATOMIC_RELAXED);
    r->v->waiting = false;
    EXPECT_EQ(sched_linger(r->v), false, "its slice is over, but it does not sleep");
    EXPECT_EQ(slow->n_looks, 0, "at once");
}

static void works(void)
{
    fake_hart.instret += 1000;
    passes();
}

static u64 seen_ran, seen_busy;

static void watched(void)
{
    struct hart_share share;

    fake_hart.time += US;
    assert_true(sched_hart(0, &share));
    seen_ran  = fake_hart.n_relax == 1 ? sched_ran(r->v) : seen_ran;
    seen_busy = fake_hart.n_relax == 1 ? share.busy : seen_busy;
    EXPECT_EQ(sched_ran(r->v), seen_ran, "it stands still");
    EXPECT_EQ(share.busy, seen_busy, "it stands still");
}

// Whoever looks meanwhile sees what will be charged, and never more than later: the watchdog counts
// on that.
TEST(its_time_stands_still)
{
    struct hart_share share;

    asleep();
    runq_here()->turn_begin = fake_hart.time;
    fake_hart.time += 7 * US;
    fake_hart.on_relax = watched;
    (void)sched_linger(r->v);
    assert_true(seen_ran >= 7 * US && seen_ran < 8 * US && seen_busy >= 7 * US);
    assert_true(sched_ran(r->v) >= seen_ran && sched_ran(r->v) < 10 * US);
    assert_true(sched_hart(0, &share) && share.busy >= seen_busy);
    seen_ran = sched_ran(r->v);
    fake_hart.time += 5 * US;
    assert_true(sched_ran(r->v) >= seen_ran + 5 * US);
}

static struct slow *other_slow;

static void other_holds(void)
{
    vdev_patient_set(&other_slow->dev, true);
}

// A device that has heard meanwhile, and from another vCPU, that somebody asks.
TEST(whoever_holds_something_back_is_told)
{
    asleep();
    other_slow         = rig_device(r, &slow_ops, sizeof *other_slow);
    fake_hart.on_relax = other_holds;
    (void)sched_linger(r->v);
    EXPECT_EQ(other_slow->n_looks, 1, "that nobody asks any more");
    EXPECT_EQ(other_slow->lingers, false, "that nobody asks any more");
}

// A second hart, on which `v` computes.
static void busy_on(struct local *h, struct vcpu *v)
{
    *h             = (struct local){ .id = (u32)(h - harts), .up = true, .slice_end = ~0ul };
    h->running     = v;
    h->turn_begin  = h->since = fake_hart.time;
    v->sched.place = PLACE_RUNNING;
    v->sched.hart  = (u32)(h - harts);
    v->hsm         = HSM_STARTED;
}

static void once(bool over)
{
    asleep();
    slow->over        = false;
    over_after        = over ? 10 : 0;
    fake_hart.n_relax = 0;
    vdev_awaited_set(&slow->dev, true);
    vcpu_line_set(r->v, BIT(IRQ_SEI), false);
    EXPECT_EQ(sched_linger(r->v), over, "once");
}

// Or whoever comes to stand beside it would have the hart of one that computes for all that time.
TEST(what_it_leaves_it_does_not_save_up)
{
    struct rig *busy = rig_make(NULL);
    u64         begin = fake_hart.time, lag;

    busy_on(&harts[1], busy->v);
    runq_here()->turn_begin = begin;
    for (unsigned i = 0; i < 5000; i++)
        once(true);
    assert_true(fake_hart.time - begin >= 50000 * US);
    assert_true(sched_ran(r->v) < 10000 * US);
    lag = share_had(busy->v, fake_hart.time) - share_had(r->v, fake_hart.time);
    assert_true(lag <= 256 * 1000 * US); // a turn, by weight
    fake_hart.time += 50000 * US;        // it computes as well, and that is charged once
    once(true);
    assert_true(sched_ran(r->v) >= 50000 * US);
    assert_true(share_had(r->v, fake_hart.time) <= share_had(busy->v, fake_hart.time));
    harts[1] = (struct local){ 0 };
    rig_free(busy);
}

static struct rig *newcomer;

static void one_comes(void)
{
    if (fake_hart.n_relax != 20)
        return;
    newcomer->v->sched.place = PLACE_SLEEPING;
    newcomer->v->hsm         = HSM_STARTED;
    newcomer->v->waiting     = false;
    sched_wake(newcomer->v);
    fake_hart.irq_pending = fake_hart.irq_enabled = BIT(IRQ_MSI);
}

// Who comes takes the hart of one that waits, and not of one that computes, whatever they have had.
TEST(it_gives_way_before_one_that_computes)
{
    struct rig *busy = rig_make(NULL);

    newcomer = rig_make(NULL);
    busy_on(&harts[1], busy->v);
    harts[1].turn_begin -= 3000 * US;
    runq_here()->turn_begin = fake_hart.time;
    fake_hart.on_relax      = one_comes;
    once(false);
    EXPECT_EQ(fake_hart.n_relax, 20, "it gives way");
    EXPECT_EQ(harts[1].ipis, 0, "the other does not");
    EXPECT_EQ(harts[1].slice_end, ~0ul, "the other does not");
    assert_true(runq_here()->slice_end < fake_hart.time + 1100 * US);
    harts[1] = (struct local){ 0 };
    rig_free(newcomer);
    rig_free(busy);
}

// Nor does it count as a stay in the monitor, or as work on the VM's behalf.
TEST(its_time_is_not_charged)
{
    struct hart_share share;

    over_after         = 100;
    slow->costs        = 300;
    fake_hart.instret  = 5000;
    fake_hart.on_relax = works;
    sched_run(false);
    assert_true(sched_hart(0, &share));
    assert_true(fake_hart.time >= 1000000 + 100 * US);
    assert_true(sched_ran(r->v) < 10 * US && share.busy < 10 * US);
    EXPECT_EQ(r->v->stats.spent[SPENT_DEVICES], 600, "both looks, and no more");
    EXPECT_EQ(r->v->stats.spent[SPENT_OTHER], 0, "both looks, and no more");
    EXPECT_EQ(r->v->stats.longest, 300, "each was one");
    EXPECT_EQ(longest_stay(0), 300, "each was one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(what_comes_soon_finds_it_awake),
        RUN_ON_RIG(an_interrupt_that_is_enabled_is_taken),
        RUN_ON_RIG(what_is_there_is_not_waited_for),
        RUN_ON_RIG(in_vain),
        RUN_ON_RIG(nothing_under_way),
        RUN_ON_RIG(one_that_awaits_nothing_any_more),
        RUN_ON_RIG(not_with_a_deadline_that_has_come),
        RUN_ON_RIG(one_whose_timer_has_rung_stays),
        RUN_ON_RIG(not_while_suspended),
        RUN_ON_RIG(who_looks_in_vain_looks_less_often),
        RUN_ON_RIG(not_while_another_wants_the_hart),
        RUN_ON_RIG(not_beyond_its_own_deadline),
        RUN_ON_RIG(not_beyond_its_slice),
        RUN_ON_RIG(an_interrupt_of_the_machine_ends_it),
        RUN_ON_RIG(a_kick_ends_it),
        RUN_ON_RIG(another_kick_ends_it),
        RUN_ON_RIG(a_paused_vm_stands_still),
        RUN_ON_RIG(one_that_was_paused_meanwhile_is_told),
        RUN_ON_RIG(not_with_something_pending),
        RUN_ON_RIG(whoever_holds_something_back_is_told),
        RUN_ON_RIG(its_time_stands_still),
        RUN_ON_RIG(what_it_leaves_it_does_not_save_up),
        RUN_ON_RIG(it_gives_way_before_one_that_computes),
        RUN_ON_RIG(its_time_is_not_charged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// The bus beyond plain accesses: devices that cannot answer yet, that are kicked, that are busy.
#include "unit.h"

#include "vm/runq.h"

#define SLOW_BASE 0x20000000

// A device that refuses until it has been kicked.
struct slow {
    struct vdev dev; // must be first
    bool        ready, busy;
    u64         written;
    unsigned    n_ticks;
};

static struct rig *r;
static struct slow *slow; // the rig frees it

static struct slow *slow_of(struct vdev *d)
{
    return CONTAINER_OF(d, struct slow, dev);
}

static bool slow_access(struct vdev *d, struct mmio *m)
{
    struct slow *s = slow_of(d);

    m->again = !s->ready;
    if (s->ready && m->write)
        s->written = m->value;
    return true;
}

static void slow_tick(struct vdev *d)
{
    slow_of(d)->ready = true;
    slow_of(d)->n_ticks++;
    vcpu_line_set(d->vm->vcpus[0], BIT(IRQ_SEI), true);
}

static void slow_reset(struct vdev *d)
{
    (void)d;
}

static bool slow_quiet(const struct vdev *d)
{
    return !slow_of((struct vdev *)d)->busy;
}

static const struct vdev_ops slow_ops = {
    .name   = "slow",
    .sizes  = 4 | 8,
    .base   = SLOW_BASE,
    .size   = 0x100,
    .access = slow_access,
    .reset  = slow_reset,
    .tick   = slow_tick,
    .quiet  = slow_quiet,
};

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r    = rig_make(NULL);
    slow = rig_device(r, &slow_ops, sizeof *slow);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

static enum outcome store(u64 value)
{
    const u32   sw = 0x0062b023; // sd t1, 0(t0)
    struct trap t  = { EXC_STORE_PAGE_FAULT, SLOW_BASE };

    assert_true(gmem_write(&r->vm, gpa(r->v->f.pc), &sw, sizeof sw));
    r->v->f.x[5] = SLOW_BASE;
    r->v->f.x[6] = value;
    return trap_handle(r->v, &t);
}

// The guest tries the same instruction again, and others have the hart meanwhile.
TEST(an_access_that_must_wait_is_tried_again)
{
    EXPECT_EQ(store(7), RESUME, "not stepped over");
    EXPECT_EQ(pending_of(r->v) & PEND_RESCHED, PEND_RESCHED, "it gives way");
    EXPECT_EQ(slow->written, 0, "nothing has happened");
    slow->ready = true;
    EXPECT_EQ(store(7), NEXT, "done");
    EXPECT_EQ(slow->written, 7, "and only now");
}

TEST(a_kick_wakes_a_sleeper)
{
    r->v->waiting     = true;
    r->v->csr.mie     = BIT(IRQ_SEI);
    r->v->sched.place = PLACE_SLEEPING;
    vdev_kick(&slow->dev);
    EXPECT_EQ(r->v->sched.place, PLACE_READY, "it wants a hart");
    EXPECT_EQ(slow->n_ticks, 0, "the one who kicks does not do its work");
    bus_answer_kicks(&r->vm.bus);
    bus_answer_kicks(&r->vm.bus);
    EXPECT_EQ(slow->n_ticks, 1, "once for each kick");
}

static void *last_entry;

static void guest(struct frame *f)
{
    last_entry = f;
    EXPECT_EQ(slow->n_ticks, 1, "before the guest runs again");
    vm_stop(&r->vm, VM_END_OFF, "the test is over");
    f->cause = CAUSE_INTERRUPT | IRQ_MTI;
}

TEST(a_kick_is_answered_before_the_guest_runs)
{
    fake_hart.on_run = guest;
    last_entry       = NULL;
    vdev_kick(&slow->dev);
    vcpu_run(r->v);
    assert_ptr_equal(last_entry, &r->v->f);
}

// It is kicked, and paused by somebody of whom the scheduler has not heard yet; then it is off.
static void paused_then_off(void)
{
    if (r->vm.state == VM_PAUSED) {
        vm_state_set(&r->vm, VM_OFF);
        return;
    }
    vdev_kick(&slow->dev);
    EXPECT_EQ(r->v->sched.place, PLACE_READY, "it wants a hart");
    vm_state_set(&r->vm, VM_PAUSED);
}

// Its devices stand still as its vCPUs do, and find the kick when it goes on.
TEST(a_paused_vm_has_its_kicks_answered_later)
{
    fake_hart.on_wait = paused_then_off;
    r->v->waiting     = true;
    sched_run(false);
    EXPECT_EQ(r->v->sched.turns, 1, "it had been chosen");
    EXPECT_EQ(slow->n_ticks, 0, "it stands still");
    assert_true(pending_of(r->v) & PEND_DEVICE);
}

TEST(a_busy_device_makes_the_bus_busy)
{
    EXPECT_EQ(bus_is_quiet(&r->vm.bus), true, "at rest");
    slow->busy = true;
    EXPECT_EQ(bus_is_quiet(&r->vm.bus), false, "a request is under way");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(an_access_that_must_wait_is_tried_again),
        RUN_ON_RIG(a_kick_wakes_a_sleeper),
        RUN_ON_RIG(a_kick_is_answered_before_the_guest_runs),
        RUN_ON_RIG(a_paused_vm_has_its_kicks_answered_later),
        RUN_ON_RIG(a_busy_device_makes_the_bus_busy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

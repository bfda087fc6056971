// SPDX-License-Identifier: MIT
// Scheduling: the vCPU that has had the least of the hart runs next; one that waits costs nothing.
//
// In:     vCPUs that can run, interrupts of the machine.
// Out:    vcpu_run() of one after the other.
// Always: a vCPU in wfi runs again once an interrupt that it enabled pends, whatever sstatus.SIE
//         says (Priv. 1.12, 3.3.3).  A turn lasts at least TURN_MIN_MS unless it is given up, so a
//         sleeper's deadlines cannot take the hart from others; and one that slept gets credit for
//         one slice at most.
// Locks:  none yet: one hart runs all.
#include "vm/sched.h"

#include "dev/clock.h"
#include "dev/irq.h"
#include "dev/machine.h"

#define SLICE_MS    5
#define TURN_MIN_MS 1

static struct vcpu *running;
static u64          slice_end;
static u64          vtime_floor; // the highest vtime with which a turn began

static u64 ticks_of_ms(u64 ms)
{
    return machine.timebase_hz / 1000 * ms;
}

// One that slept, or starts late, is owed one slice at most.
static void credit_limit(struct vcpu *v)
{
    v->vtime = max_u64(v->vtime, vtime_floor - min_u64(vtime_floor, ticks_of_ms(SLICE_MS)));
}

// A non-retentive suspend ends as a start does (SBI 2.0, 9.4).
static void wake(struct vcpu *v)
{
    v->waiting = false;
    credit_limit(v);
    if (v->hsm == HSM_SUSPENDED)
        vcpu_start(v, v->resume_pc, v->resume_arg);
    pend(v, PEND_IRQ);
}

static bool is_runnable(struct vcpu *v)
{
    if (v->hsm == HSM_STOPPED)
        return false;
    timer_check(v);
    if (v->waiting && vcpu_interrupts(v))
        wake(v);
    return !v->waiting;
}

// What vcpu_next() has found.
struct choice {
    struct vcpu *best; // can run, and has had the least; NULL: none can
    unsigned     n_ready;
    u64          deadline; // when one of those that wait wants to be looked at again
};

static void vcpu_consider(struct choice *c, struct vcpu *v)
{
    if (is_runnable(v)) {
        c->n_ready++;
        if (!c->best || v->vtime < c->best->vtime)
            c->best = v;
    } else if (v->hsm != HSM_STOPPED)
        c->deadline = min_u64(c->deadline, timer_next(v));
}

// Devices have their time even if all vCPUs of their VM wait or have stopped.
static struct choice vcpu_next(void)
{
    struct choice c = { .deadline = ~0ul };

    for (unsigned m = 0; m < n_vms; m++) {
        if (vms[m]->state != VM_RUNNING)
            continue;
        bus_tick(&vms[m]->bus, clock_now());
        c.deadline = min_u64(c.deadline, vms[m]->bus.deadline);
        for (u32 i = 0; i < vms[m]->n_vcpus; i++)
            vcpu_consider(&c, vms[m]->vcpus[i]);
    }
    return c;
}

static void others_give_way(const struct vcpu *v)
{
    if (running && running != v)
        pend(running, PEND_RESCHED);
}

void sched_started(struct vcpu *v)
{
    credit_limit(v);
    others_give_way(v);
}

void sched_wake(const struct vcpu *v)
{
    if (v->waiting)
        others_give_way(v);
}

enum life { NOBODY, SOMEBODY, SOMEBODY_ENDS };

// Those that have ended are told to their upper layer, which makes some start again, step by step.
static enum life life_check(void)
{
    enum life life = NOBODY;

    for (unsigned m = 0; m < n_vms; m++) {
        if (vms[m]->state == VM_STOPPED)
            vms[m]->on_end(vms[m]);
        if (vms[m]->state == VM_STOPPED)
            life = SOMEBODY_ENDS;
        else if (vms[m]->state == VM_RUNNING && life == NOBODY)
            life = SOMEBODY;
    }
    return life;
}

void sched_arm(const struct vcpu *v)
{
    clock_arm(min_u64(slice_end, timer_next(v)));
}

static void timer_interrupt(void)
{
    if (!running) {
        clock_arm(~0ul);
        return;
    }
    if (clock_now() >= slice_end) {
        slice_end = ~0ul;
        pend(running, PEND_RESCHED);
    }
    timer_check(running);
    sched_arm(running);
}

void irq_poll(void)
{
    u64 pending = hart_irq_pending();

    if (pending & BIT(IRQ_MTI))
        timer_interrupt();
    if (pending & BIT(IRQ_MSI))
        clock_ipi_clear(hart_id());
    if (pending & BIT(IRQ_MEI))
        irq_handle();
}

static void vcpu_turn(const struct choice *c, bool others_want)
{
    struct vcpu *v   = c->best;
    u64          now = clock_now(), look = max_u64(c->deadline, now + ticks_of_ms(TURN_MIN_MS));

    running     = v;
    slice_end   = others_want ? min_u64(look, now + ticks_of_ms(SLICE_MS)) : look;
    vtime_floor = max_u64(vtime_floor, v->vtime);
    sched_arm(v);
    vcpu_run(v);
    v->vtime += clock_now() - now;
    running = NULL;
}

static void idle(u64 deadline)
{
    clock_arm(deadline);
    hart_wait();
    irq_poll();
}

void sched_run(void)
{
    enum life life;

    hart_irq_enable(BIT(IRQ_MTI) | BIT(IRQ_MSI) | BIT(IRQ_MEI));
    while ((life = life_check()) != NOBODY) {
        struct choice c = vcpu_next();

        if (c.best)
            vcpu_turn(&c, c.n_ready > 1 || life == SOMEBODY_ENDS);
        else if (life == SOMEBODY)
            idle(c.deadline);
    }
}

enum outcome sched_wait(struct vcpu *v)
{
    if (!vcpu_interrupts(v)) {
        v->waiting = true;
        pend(v, PEND_RESCHED);
    }
    return NEXT;
}

// SPDX-License-Identifier: MIT
// Scheduling: vCPUs take turns on the hart; one that waits costs nothing.
//
// In:     vCPUs that can run, interrupts of the machine.
// Out:    vcpu_run() of one after the other.
// Always: a vCPU in wfi runs again once an interrupt that it enabled pends, whatever sstatus.SIE
//         says (Priv. 1.12, 3.3.3).  The hart's timer is armed for the first deadline of any of
//         them.
// Locks:  none yet: one hart runs all.
#include "vm/sched.h"

#include "dev/clock.h"
#include "dev/irq.h"
#include "dev/machine.h"

#define SLICE_MS 5

static struct vcpu *running;
static u64          slice_end;

// A non-retentive suspend ends as a start does (SBI 2.0, 9.4).
static void wake(struct vcpu *v)
{
    v->waiting = false;
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
    struct vcpu *first, *after; // the first that can run, and the first behind `last`
    unsigned     n_ready;
    u64          deadline; // when one of those that wait wants to be looked at again
    bool         passed;   // `last` was seen
};

static void vcpu_consider(struct choice *c, struct vcpu *v, const struct vcpu *last)
{
    if (is_runnable(v)) {
        c->n_ready++;
        c->first = c->first ? c->first : v;
        c->after = c->passed && !c->after ? v : c->after;
    } else if (v->hsm != HSM_STOPPED)
        c->deadline = min_u64(c->deadline, timer_next(v));
    c->passed |= v == last;
}

// The vCPU after `last` that can run, or NULL.  Devices have their time even if all vCPUs wait.
static struct vcpu *vcpu_next(const struct vcpu *last, struct choice *c)
{
    *c = (struct choice){ .deadline = ~0ul };
    for (unsigned m = 0; m < n_vms; m++) {
        if (vms[m]->state != VM_RUNNING)
            continue;
        bus_tick(&vms[m]->bus, clock_now());
        c->deadline = min_u64(c->deadline, vms[m]->bus.deadline);
        for (u32 i = 0; i < vms[m]->n_vcpus; i++)
            vcpu_consider(c, vms[m]->vcpus[i], last);
    }
    return c->after ? c->after : c->first;
}

void sched_started(const struct vcpu *v)
{
    if (running && running != v)
        pend(running, PEND_RESCHED);
}

void sched_wake(const struct vcpu *v)
{
    if (v->waiting)
        sched_started(v);
}

static bool anything_lives(void)
{
    bool one = false;

    for (unsigned m = 0; m < n_vms; m++) {
        if (vms[m]->state == VM_STOPPED && vms[m]->on_end)
            vms[m]->on_end(vms[m]); // may start it again
        one |= vms[m]->state == VM_RUNNING;
    }
    return one;
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

// `deadline`: when a vCPU that waits must be looked at; `alone`: nobody else wants the hart.
static void vcpu_turn(struct vcpu *v, bool alone, u64 deadline)
{
    u64 slice = machine.timebase_hz / 1000 * SLICE_MS;

    running   = v;
    slice_end = alone ? deadline : min_u64(deadline, clock_now() + slice);
    sched_arm(v);
    vcpu_run(v);
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
    struct vcpu *v = NULL;

    hart_irq_enable(BIT(IRQ_MTI) | BIT(IRQ_MSI) | BIT(IRQ_MEI));
    while (anything_lives()) {
        struct choice c;

        v = vcpu_next(v, &c);
        if (v)
            vcpu_turn(v, c.n_ready == 1, c.deadline);
        else
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

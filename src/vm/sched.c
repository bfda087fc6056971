// SPDX-License-Identifier: MIT
// Scheduling: vCPUs take turns on the hart; one that waits costs nothing.
//
// In:     vCPUs that can run, interrupts of the machine.
// Out:    vcpu_run() of one after the other.
// Always: a vCPU in wfi runs again once an interrupt that it enabled pends, whatever sstatus.SIE says
//         (Priv. 1.12, 3.3.3).  The hart's timer is armed for the first deadline of any of them.
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
    if (v->vm->state != VM_RUNNING || v->hsm == HSM_STOPPED)
        return false;
    timer_check(v);
    if (v->waiting && vcpu_interrupts(v))
        wake(v);
    return !v->waiting;
}

// The vCPU after `last` that can run, or NULL; how many can; and when one of those that wait wants
// to be looked at again.
static struct vcpu *vcpu_next(const struct vcpu *last, unsigned *n_ready, u64 *deadline)
{
    struct vcpu *first = NULL, *next = NULL;
    bool         passed = false;

    *n_ready  = 0;
    *deadline = ~0ul;
    for (unsigned m = 0; m < n_vms; m++)
        for (u32 i = 0; i < vms[m]->n_vcpus; i++) {
            struct vcpu *v = vms[m]->vcpus[i];

            if (is_runnable(v)) {
                (*n_ready)++;
                first = first ? first : v;
                next  = passed && !next ? v : next;
            } else if (v->vm->state == VM_RUNNING)
                *deadline = min_u64(*deadline, timer_next(v));
            passed |= v == last;
        }
    return next ? next : first;
}

static bool anything_lives(void)
{
    for (unsigned m = 0; m < n_vms; m++) {
        if (vms[m]->state == VM_STOPPED && vms[m]->on_end)
            vms[m]->on_end(vms[m]); // may start it again
        if (vms[m]->state == VM_RUNNING)
            return true;
    }
    return false;
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
        unsigned n_ready;
        u64      deadline;

        v = vcpu_next(v, &n_ready, &deadline);
        if (v)
            vcpu_turn(v, n_ready == 1, deadline);
        else
            idle(deadline);
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

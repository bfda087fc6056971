// SPDX-License-Identifier: MIT
// The scheduler's loop: turns, idleness, and the interrupts of the machine.
//
// In:     the choices of runq.c; interrupts of the machine.
// Out:    vcpu_run() of one vCPU after the other, on every hart that takes part.
// Always: a turn that was chosen is ended.  Whoever comes onto a hart has its time brought up to
//         date first.
// Locks:  vm->lock, then runq_lock; none is held while a guest runs or an interrupt is handled.
#include "vm/runq.h"

#include "dev/clock.h"
#include "dev/irq.h"

// Brings the time of one that comes onto the hart up to date.  False: it sleeps on, or its VM does
// not run any more.
static bool turn_admit(struct vcpu *v)
{
    bool runs;

    lock_take(&v->vm->lock);
    timer_check(v);
    if (v->waiting && vcpu_interrupts(v)) {
        v->waiting = false;
        if (v->hsm == HSM_SUSPENDED) // a non-retentive suspend ends as a start does (SBI 2.0, 9.4)
            vcpu_start(v, v->resume_pc, v->resume_arg);
        pend(v, PEND_IRQ);
    }
    runs = v->vm->state == VM_RUNNING && !v->waiting;
    lock_drop(&v->vm->lock);
    return runs;
}

static void run_turn(const struct choice *c)
{
    struct vcpu *v = c->best;

    if (!turn_admit(v))
        return;
    runq_running_set(v, runq_slice_end(c));
    __atomic_fetch_and(&v->pending, ~(u32)PEND_RESCHED, __ATOMIC_RELAXED); // of an earlier turn
    if (__atomic_load_n(&v->vm->state, __ATOMIC_ACQUIRE) != VM_RUNNING || v->vm->held)
        pend(v, PEND_RESCHED); // told before, and not to be forgotten
    sched_arm(v);
    vcpu_run(v);
    runq_running_set(NULL, ~0ul);
}

// The upper layer makes a VM that has ended start again, step by step, or switches it off.
static void end_turn(const struct choice *c)
{
    struct vm *vm  = c->best->vm;
    u64        end = min_u64(runq_slice_end(c), clock_now() + ticks_of_ms(SLICE_MS));

    do {
        vm->on_end(vm);
        irq_poll();
        stay_ends();
    } while (vm->state == VM_STOPPED && clock_now() < end);
}

static void turn(const struct choice *c)
{
    if (c->best->vm->state == VM_STOPPED)
        end_turn(c);
    else
        run_turn(c);
    runq_turn_over(c->best);
}

static void idle(u64 deadline)
{
    hart_arm(deadline);
    stay_ends();
    hart_wait();
    stay_begins();
    lock_take(&runq_lock);
    runq_here()->idle = false;
    lock_drop(&runq_lock);
    irq_poll();
}

// A slice that is over, a deadline that has come, or one that another hart has changed.
static void look_again(void)
{
    struct local *h = runq_here();
    struct vcpu  *v = h->running;

    if (!v) {
        hart_arm(~0ul);
        return;
    }
    lock_take(&v->vm->lock);
    lock_take(&runq_lock);
    if (clock_now() >= h->slice_end) {
        h->slice_end = ~0ul;
        pend(v, PEND_RESCHED);
    }
    lock_drop(&runq_lock);
    timer_check(v);
    sched_arm(v);
    lock_drop(&v->vm->lock);
}

void irq_poll(void)
{
    u64 pending = hart_irq_pending();

    if (pending & BIT(IRQ_MSI))
        clock_ipi_clear(hart_id());
    if (!hart_index() && clock_now() >= sched_alarm.deadline_ticks)
        sched_alarm.ring();
    if (pending & (BIT(IRQ_MTI) | BIT(IRQ_MSI)))
        look_again();
    if (pending & BIT(IRQ_MEI))
        irq_handle();
}

void sched_run(bool stays)
{
    struct choice c;

    runq_join();
    hart_irq_enable(BIT(IRQ_MTI) | BIT(IRQ_MSI) | BIT(IRQ_MEI));
    stay_begins();
    for (runq_choose(&c); stays || !c.over; runq_choose(&c)) {
        if (c.best)
            turn(&c);
        else
            idle(c.deadline);
    }
    if (hart_index())
        hart_poke(&harts[0]); // it may sleep, and has more to do
}

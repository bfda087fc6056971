// SPDX-License-Identifier: MIT
// The scheduler's loop: turns, idleness, and the interrupts of the machine.
//
// In:     the choices of runq.c; interrupts of the machine.
// Out:    vcpu_run() of one vCPU after the other, on every hart that takes part.
// Always: a turn that was chosen is ended.  Whoever comes onto a hart has its time brought up to
//         date first.  The boot hart alone leaves the loop.  Who lingers is not charged for it.
// Locks:  vm->lock, then runq_lock; none is held while a guest runs or an interrupt is handled.
#include "vm/share.h"

#include "dev/clock.h"
#include "dev/irq.h"
#include "dev/machine.h"

#define LINGER_US       600 // a disk takes less for 1 MiB that it has in its cache
#define LINGER_LOST_MAX 127

// Brings the time of one that comes onto the hart up to date.  False: it sleeps on, or it is not to
// run.  What it was told for an earlier turn is over; who told it otherwise since then finds this
// hart's `running`, or we find what it has changed.
static bool turn_admit(struct vcpu *v)
{
    bool runs;

    lock_take(&v->vm->lock);
    timer_check(v);
    if (pending_of(v) & PEND_DEVICE && v->vm->state == VM_RUNNING) {
        __atomic_fetch_and(&v->pending, ~(u32)PEND_DEVICE, __ATOMIC_ACQUIRE);
        v->spent_on = SPENT_DEVICES;
        bus_answer_kicks(&v->vm->bus);
    }
    if (v->waiting && vcpu_interrupts(v)) {
        v->waiting = false;
        if (v->hsm == HSM_SUSPENDED) // a non-retentive suspend ends as a start does (SBI 2.0, 9.4)
            vcpu_start(v, v->resume_pc, v->resume_arg);
        pend(v, PEND_IRQ);
    }
    __atomic_fetch_and(&v->pending, ~(u32)PEND_RESCHED, __ATOMIC_ACQ_REL);
    runs = v->vm->state == VM_RUNNING && !v->waiting && !vm_is_held(v->vm);
    if (runs) {
        steal_tell(v);
        sched_arm(v);
    }
    lock_drop(&v->vm->lock);
    return runs;
}

// --- lingering -----------------------------------------------------------------------------------

// What a device is about to have for a vCPU that sleeps is often there before the hart would be
// asleep and awake again.  So the vCPU looks for it for a moment, in place: the device need not
// interrupt, and nobody has to be chosen, saved and loaded.  It does so only while nobody else
// wants the hart, and after it has looked in vain twice only at every second, fourth ... wait.

static u64 slice_end(void)
{
    return __atomic_load_n(&runq_here()->slice_end, __ATOMIC_RELAXED);
}

// One whose own time has come may stay, for it does not wait.
static bool may_linger(struct vcpu *v)
{
    if (!v->waiting || v->hsm != HSM_STARTED || pending_of(v) || !bus_awaits(&v->vm->bus) ||
        slice_end() <= clock_now())
        return false;
    if (v->linger_skips && timer_next(v) > clock_now()) {
        v->linger_skips--;
        return false;
    }
    return true;
}

// The same devices at its begin and at its end, whatever they await then; and then those, too, that
// hold something back, since they may have heard of it from others.
static void linger_tell(struct vcpu *v, u32 which, bool begins)
{
    lock_take(&v->vm->lock);
    v->vm->bus.lingers = begins;
    v->spent_on        = SPENT_DEVICES;
    if (!begins)
        which |= v->vm->bus.patient;
    if (v->vm->state == VM_RUNNING)
        bus_look(&v->vm->bus, which);
    else // its rings may lie in RAM that it gave up; and if it goes on, nothing would interrupt
        bus_kick(&v->vm->bus, which);
    lock_drop(&v->vm->lock);
}

// Until something is over, or there is something else to do.  False: neither came.
static bool linger(const struct vcpu *v, u64 until)
{
    while (!bus_is_over(&v->vm->bus) && !hart_irq_pending() && !pending_of(v)) {
        if (clock_now() >= until || !bus_awaits(&v->vm->bus))
            return false;
        hart_relax();
    }
    return true;
}

static void linger_judge(struct vcpu *v, bool was_worth_it)
{
    v->linger_lost  = was_worth_it ? 0 : (u8)min_u64(2ul * v->linger_lost + 1, LINGER_LOST_MAX);
    v->linger_skips = v->linger_lost / 2;
}

bool sched_linger(struct vcpu *v)
{
    u32 which  = bus_awaits(&v->vm->bus);
    u64 wanted = may_linger(v) ? share_stand() : 0, begin, end;

    if (!wanted)
        return false;
    if (timer_next(v) <= clock_now()) {
        share_forgive(v, 0);
        return turn_admit(v);
    }
    linger_tell(v, which, true);
    stay_ends_of(v);
    begin = clock_now();
    end   = min_u64(min_u64(wanted, slice_end()), timer_next(v));
    linger_judge(v, linger(v, min_u64(end, begin + ticks_of_us(LINGER_US))));
    share_forgive(v, clock_now() - begin);
    stay_begins();
    linger_tell(v, which, false);
    return turn_admit(v);
}

// The upper layer makes a VM that has ended start again, step by step, or switches it off; not
// before all its vCPUs have left their harts.
static void end_turn(struct vcpu *v)
{
    struct vm *vm    = v->vm;
    u64        slice = slice_end();
    u64        end   = min_u64(slice, clock_now() + ticks_of_ms(SLICE_MS));

    if (v != vm->vcpus[0] || !runq_is_alone(v))
        return;
    do {
        if (!irq_poll())
            vm->on_end(vm);
        stay_ends();
    } while (vm_state(vm) == VM_STOPPED && !vm_rests_until(vm) && !vm_is_held(vm) &&
             clock_now() < end);
}

static void turn(struct vcpu *v)
{
    if (vm_state(v->vm) == VM_STOPPED)
        end_turn(v);
    else if (turn_admit(v))
        vcpu_run(v);
    runq_turn_over(v);
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
    (void)irq_poll();
}

// A slice that is over, a deadline that has come, or one that another hart has changed.  A hart
// that runs nobody is about to choose, and arms its timer then.
static void look_again(void)
{
    struct vcpu *v = runq_here()->running;

    if (!v)
        return;
    if (runq_slice_is_over())
        pend(v, PEND_RESCHED);
    lock_take(&v->vm->lock);
    timer_check(v);
    sched_arm(v);
    lock_drop(&v->vm->lock);
}

// The alarm and the interrupts take turns, each of them in a stay in the monitor of its own.
static bool alarm_has_rung(void)
{
    static bool rung; // the boot hart's

    if (hart_index())
        return false;
    rung = !rung && clock_now() >= sched_alarm.deadline_ticks;
    if (rung)
        sched_alarm.ring();
    return rung;
}

static bool irq_is_due(void)
{
    return !hart_index() && irq_again_at != ~0ul && clock_now() >= irq_again_at;
}

bool irq_poll(void)
{
    u64 pending = hart_irq_pending();

    (void)last_words_are_mine(); // or another hart's, and then this one is to stop
    if (pending & BIT(IRQ_MTI))
        hart_timer_rang();
    if (alarm_has_rung())
        return true;
    if (pending & BIT(IRQ_MSI))
        clock_ipi_clear(hart_id());
    if (pending & BIT(IRQ_MEI) || irq_is_due())
        irq_handle(); // which may want the alarm sooner
    if (pending & (BIT(IRQ_MTI) | BIT(IRQ_MSI) | BIT(IRQ_MEI)))
        look_again();
    return false;
}

// The boot hart alone decides that all is over, since a person at the console may have other plans.
void sched_run(bool stays)
{
    struct choice c;

    runq_join();
    hart_irq_enable(BIT(IRQ_MTI) | BIT(IRQ_MSI) | BIT(IRQ_MEI));
    stay_begins();
    for (;;) {
        runq_choose(&c);
        if (c.over && !stays && !hart_index())
            return;
        if (c.over && !stays)
            runq_poke(&harts[0]); // it may sleep
        if (c.best)
            turn(c.best);
        else
            idle(c.deadline);
    }
}

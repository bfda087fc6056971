// SPDX-License-Identifier: MIT
// Scheduling: the vCPU that has had the least of the hart runs next; one that waits costs nothing.
//
// In:     vCPUs that can run, interrupts of the machine.
// Out:    vcpu_run() of one after the other.
// Always: a vCPU in wfi runs again once an interrupt that it enabled pends, whatever sstatus.SIE
//         says (Priv. 1.12, 3.3.3).  A turn lasts at least TURN_MIN_MS unless it is given up, so a
//         sleeper's deadlines cannot take the hart from others; and one that slept gets
//         credit for as much at most.
// Locks:  none yet: one hart runs all.
#include "vm/sched.h"

#include "dev/clock.h"
#include "dev/irq.h"
#include "dev/machine.h"

#define SLICE_MS    5
#define TURN_MIN_MS 1

struct sched_alarm sched_alarm = { .deadline_ticks = ~0ul };

static struct vcpu *running, *last; // last: who has had the latest turn
static u64          slice_end, turn_began;
static u64          n_turns;
static u64          vtime_high; // the most that anybody has had

static u64 ticks_of_ms(u64 ms)
{
    return machine.timebase_hz / 1000 * ms;
}

void sched_credit(struct vcpu *v)
{
    v->vtime = max_u64(v->vtime, vtime_high - min_u64(vtime_high, ticks_of_ms(TURN_MIN_MS)));
}

// A non-retentive suspend ends as a start does (SBI 2.0, 9.4).
static void wake(struct vcpu *v)
{
    v->waiting = false;
    sched_credit(v);
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
    struct vcpu *best; // wants the hart, and has had the least of it; NULL: nobody wants it
    unsigned     n_ready;
    u64          deadline; // when one of those that wait wants to be looked at again
};

// The one that has just run counts as a little ahead, or a turn that ended a moment early would be
// followed by another of the same vCPU.
static u64 vtime_now(const struct vcpu *v)
{
    return v->vtime + (v == last ? ticks_of_ms(TURN_MIN_MS) : 0);
}

// Who has had less; of two that have had about the same, who has waited longer: otherwise a moment
// more or less would change their order, and one would wait a turn too long.
static bool is_before(const struct vcpu *a, const struct vcpu *b)
{
    u64 had_a = vtime_now(a), had_b = vtime_now(b);

    if (max_u64(had_a, had_b) - min_u64(had_a, had_b) >= ticks_of_ms(TURN_MIN_MS))
        return had_a < had_b;
    return a->stats.last_turn < b->stats.last_turn;
}

static void vcpu_consider(struct choice *c, struct vcpu *v)
{
    if (v->vm->state == VM_STOPPED || is_runnable(v)) {
        c->n_ready++;
        if (!c->best || is_before(v, c->best))
            c->best = v;
    } else if (v->hsm != HSM_STOPPED)
        c->deadline = min_u64(c->deadline, timer_next(v));
}

// Devices have their time even if all vCPUs of their VM wait or have stopped.
static void vm_consider(struct choice *c, struct vm *vm)
{
    bus_tick(&vm->bus, clock_now());
    c->deadline = min_u64(c->deadline, vm->bus.deadline);
    for (u32 i = 0; i < vm->n_vcpus; i++)
        vcpu_consider(c, vm->vcpus[i]);
}

// False: no VM is left.  One that has ended is represented by its first vCPU, at whose cost it is
// started again.
static bool vcpu_next(struct choice *c)
{
    bool somebody = false;

    *c = (struct choice){ .deadline = ~0ul };
    for (unsigned m = 0; m < n_vms; m++) {
        somebody |= vms[m]->state != VM_OFF || vms[m]->is_kept;
        if (vms[m]->state == VM_RUNNING)
            vm_consider(c, vms[m]);
        else if (vms[m]->state == VM_STOPPED)
            vcpu_consider(c, vms[m]->vcpus[0]);
    }
    return somebody;
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

void sched_arm(const struct vcpu *v)
{
    clock_arm(min_u64(min_u64(slice_end, timer_next(v)), sched_alarm.deadline_ticks));
}

u64 sched_ran(const struct vcpu *v)
{
    return v->stats.ran_ticks + (v == running ? clock_now() - turn_began : 0);
}

const struct vcpu *sched_running(u32 hart)
{
    return hart == hart_id() ? running : NULL;
}

static void timer_interrupt(void)
{
    if (clock_now() >= sched_alarm.deadline_ticks)
        sched_alarm.ring();
    if (!running) {
        clock_arm(sched_alarm.deadline_ticks);
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

static void run_turn(const struct choice *c)
{
    u64 now = clock_now(), look = max_u64(c->deadline, now + ticks_of_ms(TURN_MIN_MS));

    running    = c->best;
    turn_began = now;
    slice_end  = c->n_ready > 1 ? min_u64(look, now + ticks_of_ms(SLICE_MS)) : look;
    sched_arm(running);
    vcpu_run(running);
    running->stats.turns++;
    running->stats.ran_ticks += clock_now() - now;
    running = NULL;
}

// The upper layer makes a VM that has ended start again, step by step, or switches it off.
static void end_turn(const struct choice *c)
{
    struct vm *vm  = c->best->vm;
    u64        end = clock_now() + ticks_of_ms(SLICE_MS);

    do {
        vm->on_end(vm);
        irq_poll();
    } while (vm->state == VM_STOPPED && clock_now() < end);
}

static void turn(const struct choice *c)
{
    struct vcpu *v   = c->best;
    u64          now = clock_now();

    if (v->vm->state == VM_STOPPED)
        end_turn(c);
    else
        run_turn(c);
    v->vtime += clock_now() - now;
    vtime_high         = max_u64(vtime_high, v->vtime);
    last               = v;
    v->stats.last_turn = ++n_turns;
    if (v->gave_up) // and saves up no more than one that sleeps
        sched_credit(v);
    v->gave_up = false;
}

static void idle(u64 deadline)
{
    clock_arm(min_u64(deadline, sched_alarm.deadline_ticks));
    hart_wait();
    irq_poll();
}

void sched_run(void)
{
    struct choice c;

    hart_irq_enable(BIT(IRQ_MTI) | BIT(IRQ_MSI) | BIT(IRQ_MEI));
    while (vcpu_next(&c)) {
        if (c.best)
            turn(&c);
        else
            idle(c.deadline);
    }
}

enum outcome sched_wait(struct vcpu *v)
{
    if (!vcpu_interrupts(v)) {
        v->waiting = true;
        v->stats.waits++;
        pend(v, PEND_RESCHED);
    }
    return NEXT;
}

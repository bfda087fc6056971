// SPDX-License-Identifier: MIT
// The vCPU's S-level timer: pends STI while time >= stimecmp ("Sstc"; SBI 2.0, chapter 6, sets the
// same register).
//
// In:     deadlines in ticks of the timebase.
// Out:    the STI line; the hart's own timer, armed for the vCPU that runs, but where the hart
//         itself has the guest's stimecmp meanwhile.
// Always: ~0 means never: 2^64 ticks are 58,000 years.  Deadlines of devices come for a VM that
//         runs, and for no other.
// Locks:  vm->lock, held by the caller.
#include "dev/clock.h"
#include "vm/sched.h"

static void line_follow(struct vcpu *v, unsigned irq, u64 deadline, u64 now)
{
    bool due = deadline != ~0ul && now >= deadline;

    if (due != !!(lines_of(v) & BIT(irq)))
        vcpu_line_set(v, BIT(irq), due);
}

void timer_check(struct vcpu *v)
{
    u64 now = clock_now();

    line_follow(v, IRQ_STI, v->csr.stimecmp, now);
    line_follow(v, IRQ_MTI, v->m_deadline, now);
    if (v->vm->state == VM_RUNNING) // otherwise its rings may lie in RAM that it gave up
        bus_tick(&v->vm->bus, now);
}

void timer_set(struct vcpu *v, u64 deadline_ticks)
{
    v->csr.stimecmp = deadline_ticks;
    timer_check(v);
    sched_arm(v);
}

// A line that is up already waits for nothing.
static u64 line_next(const struct vcpu *v, unsigned irq, u64 deadline)
{
    return lines_of(v) & BIT(irq) ? ~0ul : deadline;
}

static u64 timer_next_others(const struct vcpu *v)
{
    return min_u64(v->vm->bus.deadline, line_next(v, IRQ_MTI, v->m_deadline));
}

u64 timer_next(const struct vcpu *v)
{
    u64 deadline = __atomic_load_n(&v->csr.stimecmp, __ATOMIC_RELAXED); // see engine_direct.c

    return min_u64(timer_next_others(v), line_next(v, IRQ_STI, deadline));
}

u64 timer_next_running(const struct vcpu *v)
{
    return v->timer_is_real ? timer_next_others(v) : timer_next(v);
}

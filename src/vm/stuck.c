// SPDX-License-Identifier: MIT
// Guests that cannot go on.
//
// In:     an exception that is given to the guest; now and then, an interrupt that it does not
//         take.
// Out:    the end of its VM, as crashed.
// Always: a loop of traps is exact: nothing in the machine could end it.  An exception at the first
//         instruction of its own handler, which leaves pc, mode and the CSRs of the trap as they
//         were, has executed nothing and finds the same again: interrupts are off, there is no
//         other vCPU that could change the memory, and no disk's request under way; not when it is
//         asked first, for what that finds done is given back before the guest tries again.  The
//         watchdog is a guess, and so it is off unless it was asked for; it counts the vCPU's own
//         time on a hart.
// Locks:  vm->lock is held by whoever handles the trap; stuck_watch() takes it.
#include "vm/stuck.h"

#include "vm/sched.h"

struct state {
    u64       pc, sepc, scause, stval, mstatus;
    enum mode mode;
};

static struct state state_of(const struct vcpu *v)
{
    return (struct state){ v->f.pc,      v->csr.sepc,    v->csr.scause,
                           v->csr.stval, v->csr.mstatus, v->mode };
}

static bool is_same(const struct state *a, const struct state *b)
{
    return a->pc == b->pc && a->sepc == b->sepc && a->scause == b->scause && a->stval == b->stval &&
           a->mstatus == b->mstatus && a->mode == b->mode;
}

static bool is_at_handler(const struct vcpu *v)
{
    return v->mode == MODE_S && v->f.pc == (v->csr.stvec & ~TVEC_MODE);
}

void stuck_take_exception(struct vcpu *v)
{
    if (LIKELY(!is_at_handler(v))) {
        v->may_be_stuck = false;
        vcpu_take_exception(v);
        return;
    }

    struct state before = state_of(v), after;

    vcpu_take_exception(v);
    after = state_of(v);
    if (!is_same(&before, &after) || v->vm->n_vcpus > 1 || !bus_is_quiet(&v->vm->bus))
        v->may_be_stuck = false;
    else if (v->may_be_stuck)
        vm_crash(v, "it crashed: its trap handler traps at its first instruction, for ever");
    else
        v->may_be_stuck = true;
}

static bool has_interrupt(const struct vcpu *v)
{
    return v->hsm == HSM_STARTED && !v->waiting && vcpu_interrupts(v);
}

static void watch(struct vcpu *v)
{
    u64 ran = sched_ran(v);

    if (!has_interrupt(v) || v->stats.injected != v->watch_injected) {
        v->watch_injected = v->stats.injected;
        v->watch_ran      = ran;
    } else if (ran - v->watch_ran >= v->vm->watchdog_ticks)
        vm_crash(v, "it crashed: it has left an interrupt pending for too long (watchdog)");
}

void stuck_watch(struct vm *vm)
{
    if (!vm->watchdog_ticks)
        return;
    lock_take(&vm->lock);
    for (u32 i = 0; i < vm->n_vcpus && vm->state == VM_RUNNING; i++) {
        watch(vm->vcpus[i]);
        sched_wake(vm->vcpus[i]); // who runs comes by: what it did without a trap is seen then
    }
    lock_drop(&vm->lock);
}

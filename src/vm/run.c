// SPDX-License-Identifier: MIT
// The loop that runs a virtual hart.
//
// In:     a vCPU that may run.
// Out:    the vCPU after it gave way: it waits, it was stopped, or its slice is over.
// Always: guest_run() and vcpu_settle() have one caller.  An outcome is acted on here alone.  What
//         arrives between the last look at `pending` and the guest's first instruction is an
//         interrupt that the hart holds pending, and traps there: nothing is lost.
// Locks:  none; a vCPU is on one hart.  `pending` is atomic.
#include "vm/csr.h"
#include "vm/engine.h"
#include "vm/sched.h"

#include <string.h>

static bool pend_take(struct vcpu *v, u32 bit)
{
    return v->pending & bit && __atomic_fetch_and(&v->pending, ~bit, __ATOMIC_ACQUIRE) & bit;
}

// The only door into the guest.  False: this vCPU must give way.
static bool vcpu_settle(struct vcpu *v)
{
    if (LIKELY(!__atomic_load_n(&v->pending, __ATOMIC_ACQUIRE)))
        return true;
    if (v->pending & PEND_STOP || v->hsm != HSM_STARTED || pend_take(v, PEND_RESCHED))
        return false;
    if (pend_take(v, PEND_FLUSH))
        shadow_flush_all(v);
    if (pend_take(v, PEND_IRQ))
        vcpu_take_interrupt(v); // changes the mode, so what follows the mode comes last
    if (pend_take(v, PEND_FOLLOW))
        v->engine->follow(v);
    return true;
}

// Whose state the hart holds.  Saved when another comes, so that a vCPU that waits for a moment and
// goes on costs no change of PMP and no flush.
static struct vcpu *loaded;

static void vcpu_load(struct vcpu *v)
{
    if (loaded == v)
        return;
    if (loaded)
        loaded->engine->save(loaded);
    loaded = v;
    v->engine->load(v);
}

bool vcpu_is_loaded(const struct vcpu *v)
{
    return loaded == v;
}

void vcpu_run(struct vcpu *v)
{
    vcpu_load(v);
    while (vcpu_settle(v)) {
        guest_run(&v->f);

        struct trap t = { v->f.cause, v->f.tval };

        switch (trap_handle(v, &t)) {
        case RESUME:  break;
        case NEXT:    v->f.pc += v->step; break;
        case REFLECT: vcpu_take_exception(v); break;
        case STOP:    break;
        }
    }
}

void vcpu_reset(struct vcpu *v)
{
    if (loaded == v)
        loaded = NULL;
    memset(&v->f, 0, sizeof v->f);
    csr_reset(v);
    v->mode       = MODE_S;
    v->irq_lines  = 0;
    v->hsm        = HSM_STOPPED;
    v->waiting    = false;
    v->ext_status = 0;
    v->pending    = 0;
    v->m_deadline = ~0ul;
    shadow_flush_all(v);
}

void vcpu_start(struct vcpu *v, u64 pc, u64 a1)
{
    v->mode     = MODE_S;
    v->csr.satp = 0;
    v->csr.mstatus &= ~STATUS_SIE;
    v->f.pc        = pc;
    v->f.x[REG_A0] = v->id;
    v->f.x[REG_A1] = a1;
    v->hsm         = HSM_STARTED;
    sched_credit(v);
    pend(v, PEND_FOLLOW | PEND_IRQ);
}

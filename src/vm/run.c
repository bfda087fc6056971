// SPDX-License-Identifier: MIT
// The loop that runs a virtual hart.
//
// In:     a vCPU that may run.
// Out:    the vCPU after it gave way: it waits, it was stopped, or its slice is over.
// Always: guest_run() and vcpu_settle() have one caller.  An outcome is acted on here alone.  What
//         arrives between the last look at `pending` and the guest's first instruction is an
//         interrupt that the hart holds pending, and traps there: nothing is lost.
// Locks:  vm->lock while a trap of the VM is handled and while pending work is done, and never
//         while its guest runs; a vCPU is on one hart.  `pending` is atomic.
#include "vm/csr.h"
#include "vm/engine.h"
#include "vm/sched.h"
#include "vm/stuck.h"

#include <string.h>

static bool pend_take(struct vcpu *v, u32 bit)
{
    return pending_of(v) & bit && __atomic_fetch_and(&v->pending, ~bit, __ATOMIC_ACQUIRE) & bit;
}

static void interrupt_take(struct vcpu *v)
{
    bool traced = v->trace.on;

    if (UNLIKELY(traced))
        trace_begin(v, CAUSE_INTERRUPT, 0);
    vcpu_take_interrupt(v);
    if (UNLIKELY(traced))
        trace_end(v, false);
}

static bool pending_do(struct vcpu *v)
{
    if (pending_of(v) & PEND_STOP || v->hsm != HSM_STARTED || pend_take(v, PEND_RESCHED))
        return false;
    if (pend_take(v, PEND_FLUSH))
        shadow_flush_all(v);
    if (pend_take(v, PEND_FENCE_I))
        hart_fence_code();
    if (pend_take(v, PEND_DEVICE))
        bus_answer_kicks(&v->vm->bus); // may raise a line, so interrupts come after it
    if (pend_take(v, PEND_IRQ) && !v->engine->s_is_real)
        interrupt_take(v); // changes the mode, so what follows the mode comes last
    if (pend_take(v, PEND_FOLLOW))
        v->engine->follow(v);
    return true;
}

// The only door into the guest.  False: this vCPU must give way.
static bool vcpu_settle(struct vcpu *v)
{
    bool goes_on;

    if (LIKELY(!pending_of(v)))
        return true;
    lock_take(&v->vm->lock);
    goes_on = pending_do(v);
    lock_drop(&v->vm->lock);
    return goes_on;
}

// What each hart holds: whose state, so that a vCPU that waits for a moment and goes on costs no
// change of PMP and no flush; where its traps go; and how long it stayed in the monitor.
static struct {
    struct vcpu *loaded;
    bool         all_traps;
    u64          stay_begin, longest; // in instructions
} here[MAX_HARTS];

static void vcpu_load(struct vcpu *v)
{
    u32 hart = hart_index();

    if (here[hart].loaded == v && v->loaded_on == hart)
        return;
    here[hart].loaded = v;
    v->loaded_on      = hart;
    v->engine->load(v);
}

// The hot path is classic's, and while a vCPU is traced none of its traps takes it.
static void traps_route(const struct vcpu *v)
{
    u32  hart = hart_index();
    bool all  = v->trace.on || v->engine->s_is_real;

    if (here[hart].all_traps == all)
        return;
    here[hart].all_traps = all;
    hart_traps_all(all);
}

// Who is traced is run by the engine under which each step traps.
static void engine_set(struct vcpu *v)
{
    const struct engine *e = v->trace.on ? &engine_classic : v->own_engine;

    if (LIKELY(v->engine == e))
        return;
    lock_take(&v->vm->lock);
    engine_give(v, e);
    sched_arm(v); // whose timer is whose has changed
    lock_drop(&v->vm->lock);
    shadow_flush_all(v);
}

// A hart that has just begun had no guest before.
static u64 stay_end(void)
{
    u32 hart = hart_index();
    u64 stay = here[hart].stay_begin ? hart_instret() - here[hart].stay_begin : 0;

    here[hart].longest = max_u64(here[hart].longest, stay);
    return stay;
}

void stay_begins(void)
{
    here[hart_index()].stay_begin = hart_instret();
}

void stay_ends(void)
{
    (void)stay_end();
    stay_begins();
}

u64 longest_stay(u32 hart)
{
    return here[hart].longest;
}

void stay_ends_of(struct vcpu *v)
{
    u64 stay = stay_end();

    v->stats.longest = max_u64(v->stats.longest, stay);
    v->stats.spent[v->spent_on] += stay;
    v->spent_on = SPENT_OTHER;
}

static FLATTEN void guest_enter(struct vcpu *v)
{
    stay_ends_of(v);
    if (v->engine->s_is_real)
        super_enter(v);
    guest_run(&v->f);
    stay_begins();
    if (v->engine->s_is_real)
        super_leave(v);
}

static void learn(struct vcpu *v)
{
    if (v->engine->s_is_real)
        super_learn(v);
}

static enum outcome act(struct vcpu *v, const struct trap *t)
{
    enum outcome o;

    if (!mmio_recall(v, t, &o)) {
        learn(v);
        o = trap_handle(v, t);
    }
    switch (o) {
    case RESUME: break;
    case NEXT:   v->f.pc += v->step; break;
    case REFLECT:
        learn(v);
        stuck_take_exception(v);
        break;
    case STOP: break;
    }
    return o;
}

static void trap_act(struct vcpu *v)
{
    struct trap t      = { v->f.cause, v->f.tval };
    bool        traced = v->trace.on;

    lock_take(&v->vm->lock);
    if (UNLIKELY(traced))
        trace_begin(v, t.cause, t.tval);

    enum outcome o = act(v, &t);

    if (UNLIKELY(traced))
        trace_end(v, o == REFLECT);
    lock_drop(&v->vm->lock);
}

static void interrupted(struct vcpu *v)
{
    v->stats.irqs++;
    v->spent_on = SPENT_INTERRUPTS;
    learn(v);
    if (UNLIKELY(v->trace.on))
        trace_machine(v);
    (void)irq_poll();
}

bool vcpu_is_loaded(const struct vcpu *v)
{
    return here[hart_index()].loaded == v && v->loaded_on == hart_index();
}

// Apart from the loop, which lies in one page (hot_path.ld).
static NOINLINE void come(struct vcpu *v)
{
    engine_set(v);
    vcpu_load(v);
    traps_route(v);
}

void vcpu_run(struct vcpu *v)
{
    come(v);
    // What ended its sleep may have to be done before the guest goes on.
    while (vcpu_settle(v) || (sched_linger(v) && vcpu_settle(v))) {
        guest_enter(v);
        if (v->f.cause == TRAP_DONE)
            continue;
        trace_note_exit(v);
        if (v->f.cause & CAUSE_INTERRUPT)
            interrupted(v);
        else
            trap_act(v);
    }
    v->engine->save(v);
}

void vcpu_reset(struct vcpu *v)
{
    v->loaded_on        = NOWHERE; // and so the hart's tables, if it was here, are nothing to us
    v->shadow.real_satp = 0;
    memset(&v->f, 0, sizeof v->f);
    memset(&v->fp, 0, sizeof v->fp);
    if (v->vector) {
        memset(v->vector, 0, sizeof *v->vector + 32 * hart_caps.vlenb);
        v->vector->vtype = VTYPE_ILLEGAL;
    }
    csr_reset(v);
    v->mode         = MODE_S;
    v->hsm          = HSM_STOPPED;
    v->waiting      = false;
    v->linger_skips = v->linger_lost = 0;
    v->may_be_stuck                  = false;
    v->ext_status                    = 0;
    __atomic_store_n(&v->irq_lines, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&v->pending, 0, __ATOMIC_RELAXED);
    v->m_deadline = ~0ul;
    steal_reset(v);
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
    pend(v, PEND_FOLLOW | PEND_IRQ);
}

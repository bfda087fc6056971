// SPDX-License-Identifier: MIT
// The engine in which the guest's kernel runs in real S-mode and its processes in real U-mode: what
// TVM was made for (Priv. 1.12, 3.1.6.5).
//
// In:     a vCPU that comes, goes, enters its guest or has left it.
// Out:    the hart's S-level CSRs are the guest's own while it runs, and v->csr what they hold
//         while the monitor does, from when it wants to know.
// Always: system calls of processes, sret, interrupts and most CSR accesses do not trap.  satp,
//         sfence.vma and wfi do, and so do faults: translations are the shadow tables'.  The timer
//         does where the hart has no stimecmp; where it has one, that is the guest's while it runs.
//         An interrupt is given by the hart, from the bits of mip that the vCPU's lines are.  What
//         nobody has delegated comes to the monitor, and is reflected as under classic.
//         No S-level register is the guest's that is not switched here: a hart that has others is
//         refused.
// Locks:  none; a vCPU is on one hart.  SSIP may be set by any hart, in v->csr.mip; it is in the
//         hart's mip while the guest runs.  stimecmp may be read by any hart, and is stored
//         atomically.
#include "vm/engine.h"

#include <string.h>

#define SUPER_STATUS (STATUS_SIE | STATUS_SPIE | STATUS_SPP | STATUS_SUM | STATUS_MXR)

static const char *direct_refuses(const struct hart_caps *caps)
{
    if (!caps->sv39)
        return "the hart has no Sv39";
    if (caps->h)
        return "direct would give a guest the hypervisor extension; use classic";
    if (caps->s_unknown)
        return "the hart has S-level registers that direct cannot switch; use classic";
    if (!caps->fp && caps->misa & BIT('f' - 'a'))
        return "the hart has FP registers that direct cannot switch; use classic";
    return NULL;
}

static ALWAYS_INLINE u64 status_of(const struct vcpu *v)
{
    return field_set(v->csr.mstatus & SUPER_STATUS, STATUS_MPP, v->mode) | STATUS_UXL_64;
}

static ALWAYS_INLINE u64 pending_with(const struct vcpu *v, u64 mip)
{
    return (mip | lines_of(v)) & INT_S;
}

// What the hart is to hold, if `mip` is pending.
static ALWAYS_INLINE struct super super_of(const struct vcpu *v, u64 mip)
{
    return (struct super){ .status    = status_of(v),
                           .pending   = pending_with(v, mip),
                           .enabled   = v->csr.mie & INT_S,
                           .tvec      = v->csr.stvec,
                           .epc       = v->csr.sepc,
                           .cause     = v->csr.scause,
                           .tval      = v->csr.stval,
                           .scratch   = v->csr.sscratch,
                           .counteren = v->csr.scounteren,
                           .envcfg    = v->csr.senvcfg,
                           .timecmp   = v->csr.stimecmp };
}

// Who has not asked what else the hart holds has not changed it.
static ALWAYS_INLINE bool holds_it_all(const struct vcpu *v, u64 mip)
{
    return !v->super_is_known &&
           !((status_of(v) ^ v->super.status) | (pending_with(v, mip) ^ v->super.pending));
}

void super_enter(struct vcpu *v)
{
    u64          mip = __atomic_load_n(&v->csr.mip, __ATOMIC_RELAXED);
    struct super to;

    if (mip & BIT(IRQ_SSI)) // from here on it is the guest's to clear
        mip = __atomic_fetch_and(&v->csr.mip, ~BIT(IRQ_SSI), __ATOMIC_ACQ_REL);
    if (LIKELY(holds_it_all(v, mip)))
        return;
    to = super_of(v, mip);
    hart_super_update(&to, &v->super, v->timer_is_real);
    v->super = to;
}

// An interrupt that the hart has given is seen by what it left.
static bool was_injected(const struct super *before, const struct super *after)
{
    return after->cause & CAUSE_INTERRUPT &&
           (after->cause != before->cause || after->epc != before->epc);
}

// The guest has taken its timer's interrupts, and set it anew, without us.  The line follows; that
// it did is no news for anybody.  If it has fallen, the guest was there.
static void timer_line_follow(struct vcpu *v)
{
    bool due = v->super.pending & BIT(IRQ_STI);

    if (LIKELY(due == !!(lines_of(v) & BIT(IRQ_STI))))
        return;
    lines_store(v, BIT(IRQ_STI), due);
    if (!due)
        vcpu_was_interrupted(v);
}

void super_leave(struct vcpu *v)
{
    struct super *s = &v->super;
    enum mode     mode;

    hart_super_look(s);
    v->super_is_known = false;
    mode              = (enum mode)field_get(s->status, STATUS_MPP);
    v->csr.mstatus    = bits_merge(v->csr.mstatus, s->status, SUPER_STATUS);
    if (s->pending & BIT(IRQ_SSI)) {
        __atomic_fetch_or(&v->csr.mip, BIT(IRQ_SSI), __ATOMIC_ACQ_REL);
        s->pending &= ~BIT(IRQ_SSI); // hart_super_look() has taken it
    }
    if (v->timer_is_real)
        timer_line_follow(v);
    if (mode == v->mode)
        return;
    v->mode = mode;
    if (!walk_levels(v->csr.satp)) // without translation each mode has a face
        shadow_follow(v);
}

void super_learn(struct vcpu *v)
{
    struct super *s = &v->super, before;

    if (v->super_is_known)
        return;
    v->super_is_known = true;
    before            = *s;
    hart_super_read(s, v->timer_is_real);
    v->csr.mie    = bits_merge(v->csr.mie, s->enabled, INT_S);
    v->csr.stvec  = s->tvec;
    v->csr.sepc   = s->epc;
    v->csr.scause = s->cause;
    v->csr.stval  = s->tval;
    if (v->timer_is_real)
        __atomic_store_n(&v->csr.stimecmp, s->timecmp, __ATOMIC_RELAXED);
    v->stats.injected += !v->is_counted && was_injected(&before, s);
    v->is_counted = false;
}

void super_learn_counters(struct vcpu *v)
{
    v->super.counteren = v->csr.scounteren = hart_counters();
}

static void direct_load(struct vcpu *v)
{
    struct super to = super_of(v, 0); // SSIP is for super_enter() to give

    hart_super_begin(v->timer_is_real);
    engine_load_common(v);
    hart_super_load(&to, v->timer_is_real);
    v->super          = to;
    v->super_is_known = true;
}

static void direct_save(struct vcpu *v)
{
    super_learn(v);
    hart_super_end(&v->super);
    v->csr.sscratch   = v->super.scratch;
    v->csr.scounteren = v->super.counteren;
    v->csr.senvcfg    = v->super.envcfg;
    engine_save_common(v);
}

const struct engine engine_direct = {
    .name      = "direct",
    .what      = "kernel in S-mode, processes in U-mode, shadow page tables, PMP behind",
    .s_is_real = true,
    .refuses   = direct_refuses,
    .load      = direct_load,
    .save      = direct_save,
    .follow    = shadow_follow,
};

// SPDX-License-Identifier: MIT
// The textbook's engine: the guest's kernel and its processes both run in real U-mode.
//
// In:     a vCPU that comes, goes, or changes what it may reach.
// Out:    the hart's satp, scounteren, senvcfg, PMP window and FS/VS hold what its virtual mode
//         implies.
// Always: each privileged instruction traps, since real U-mode has none.  scounteren and senvcfg
//         restrain vU only; while vS runs, in real U too, they are wide open.
// Locks:  none; a vCPU is on one hart.
#include "vm/engine.h"

static const char *classic_refuses(const struct hart_caps *caps)
{
    return caps->sv39 ? NULL : "the hart has no Sv39";
}

// What the hart must let the virtual mode do in real U.
static u64 counters_for(const struct vcpu *v)
{
    return v->mode == MODE_U ? v->csr.scounteren : hart_caps.scounteren_mask;
}

static u64 envcfg_for(const struct vcpu *v)
{
    return v->mode == MODE_U ? v->csr.senvcfg : hart_caps.senvcfg_mask & ~ENVCFG_FIOM;
}

static void classic_follow(struct vcpu *v)
{
    u64 counters = counters_for(v), envcfg = envcfg_for(v);

    shadow_follow(v);
    if (counters != v->real_counters)
        hart_counters_set(v->real_counters = counters);
    if (envcfg != v->real_envcfg)
        hart_envcfg_set(v->real_envcfg = envcfg);
}

static void ext_load(const struct vcpu *v)
{
    if (v->vm->ext_bits & STATUS_FS)
        fp_load(&v->fp);
    if (v->vector)
        vector_load(v->vector, hart_caps.vlenb);
    hart_ext_status_set(v->ext_status);
}

// At the end of each turn, since another hart may be the next.  All registers, whatever FS says: a
// guest may switch the unit off and expect to find it as it was.
static void ext_save(struct vcpu *v)
{
    v->ext_status = hart_ext_status();
    if (v->vm->ext_bits & STATUS_FS)
        fp_save(&v->fp);
    if (v->vector)
        vector_save(v->vector, hart_caps.vlenb);
}

static void classic_load(struct vcpu *v)
{
    hart_guest_mode_init();
    pmp_window_set(&v->vm->ram_window, &v->vm->table_window);
    ext_load(v);
    hart_reservation_drop();
    hart_fence_all();
    hart_fence_code(); // its own fence.i may have been on another hart
    v->shadow.real_satp = 0;
    hart_counters_set(v->real_counters = counters_for(v));
    hart_envcfg_set(v->real_envcfg = envcfg_for(v));
    pend(v, PEND_FOLLOW | PEND_IRQ);
}

static void classic_save(struct vcpu *v)
{
    ext_save(v);
}

const struct engine engine_classic = {
    .name    = "classic",
    .what    = "kernel and processes in U-mode, shadow page tables, PMP behind",
    .refuses = classic_refuses,
    .load    = classic_load,
    .save    = classic_save,
    .follow  = classic_follow,
};

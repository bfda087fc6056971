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
    return v->mode == MODE_U ? v->csr.senvcfg : hart_caps.senvcfg_mask & ENVCFG_CBO;
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

static void classic_load(struct vcpu *v)
{
    hart_guest_mode_init();
    engine_load_common(v);
    hart_counters_set(v->real_counters = counters_for(v));
    hart_envcfg_set(v->real_envcfg = envcfg_for(v));
}

const struct engine engine_classic = {
    .name    = "classic",
    .what    = "kernel and processes in U-mode, shadow page tables, PMP behind",
    .refuses = classic_refuses,
    .load    = classic_load,
    .save    = engine_save_common,
    .follow  = classic_follow,
};

// SPDX-License-Identifier: MIT
// The choice of an engine, and what all of them do.
//
// In:     a name from the configuration; a vCPU that comes onto a hart, or goes.
// Out:    the row, or why not; the hart's PMP window, FS and VS are the vCPU's.
// Always: rows are ordered from fast to slow; "auto" takes the first that does not refuse.
// Locks:  none; a vCPU is on one hart.
#include "vm/engine.h"

#include <string.h>

static const struct engine *const engines[] = { &engine_direct, &engine_classic };

const struct engine *engine_choose(const char *name, const char **why)
{
    *why = "no such engine; there are: auto, direct, classic";
    for (unsigned i = 0; i < ARRAY_LEN(engines); i++) {
        bool asked = !strcmp(name, engines[i]->name);

        if (!asked && strcmp(name, "auto"))
            continue;
        *why = engines[i]->refuses(&hart_caps);
        if (!*why)
            return engines[i];
    }
    return NULL;
}

void engine_give(struct vcpu *v, const struct engine *e)
{
    v->engine        = e;
    v->loaded_on     = NOWHERE;
    v->timer_is_real = e->s_is_real && hart_caps.stimecmp && v->vm->isa->has & EXT_SSTC;
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

void engine_load_common(struct vcpu *v)
{
    pmp_window_set(&v->vm->ram_window, &v->vm->table_window);
    ext_load(v);
    hart_reservation_drop();
    hart_fence_all();
    hart_fence_code(); // its own fence.i may have been on another hart
    v->shadow.real_satp = 0;
    pend(v, PEND_FOLLOW | PEND_IRQ);
}

void engine_save_common(struct vcpu *v)
{
    ext_save(v);
}

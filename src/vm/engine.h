// SPDX-License-Identifier: MIT
// Engines: in which real mode each virtual mode runs, and how memory is confined.  One table each;
// everything else in the monitor is written once for all of them.
#pragma once

#include "vm/vm.h"

struct engine {
    const char *name; // as configurations call it
    const char *what; // in the probe report
    // vS runs in S-mode: the hart keeps vU and vS apart, and gives interrupts; see super_enter().
    bool s_is_real;
    // Can it run this VM on this hart?  NULL: yes; otherwise why not, in a few words.
    const char *(*refuses)(const struct hart_caps *caps);
    void (*load)(struct vcpu *v);   // the vCPU comes onto this hart
    void (*save)(struct vcpu *v);   // its turn is over; it may go on here, or be loaded elsewhere
    void (*follow)(struct vcpu *v); // mode, satp, SUM, MXR or a gate for U changed
};

extern const struct engine engine_classic, engine_direct;

// From now on v is run by that engine; its state is on no hart.  vm->lock is held, or nobody else
// knows of v.
void engine_give(struct vcpu *v, const struct engine *e);

// Parts of each engine's load and save.
void engine_load_common(struct vcpu *v);
void engine_save_common(struct vcpu *v);

// Where S-mode is the guest's own: the guest runs next; it has trapped.
void super_enter(struct vcpu *v);
void super_leave(struct vcpu *v);
// After super_leave() only mode, mstatus, and what pends are known, which is all that an access to
// a device needs.  From here on v->csr is what the hart holds.
void super_learn(struct vcpu *v);
// And scounteren, which only a process's access to a counter asks for.
void super_learn_counters(struct vcpu *v);

// The engine of that name; "auto" is the best that the hart allows.  NULL, and *why, if there is
// none.
const struct engine *engine_choose(const char *name, const char **why);

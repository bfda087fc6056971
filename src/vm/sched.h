// SPDX-License-Identifier: MIT
// Who runs next on a hart.
#pragma once

#include "vm/vm.h"

// The calling hart takes part: runs virtual machines.  On the boot hart it returns when all are
// off, unless the machine stays.
void sched_run(bool stays);
// The upper layer's clock, on the boot hart: at deadline_ticks ring() is called, without a lock
// held, and sets the next.
struct sched_alarm {
    u64 deadline_ticks; // ~0: never
    void (*ring)(void);
};
extern struct sched_alarm sched_alarm;

// How long v has had a hart, in ticks; the turn that goes on included.
u64 sched_ran(const struct vcpu *v);
// How long it was ready but had none.
u64 sched_stolen(const struct vcpu *v);
// Is v on a hart?  For its VM's others, with vm->lock held: it may be about to leave.
bool sched_is_on_hart(const struct vcpu *v);

// Handles the interrupts of the machine that pend; called from traps and while the hart idles.  No
// lock is held.  True: the alarm has rung instead, and that is enough for one stay in the monitor;
// what pends traps at the guest's first instruction, or ends a wait at once.
bool irq_poll(void);

// The vCPU sleeps until an interrupt that it enabled pends.
enum outcome sched_wait(struct vcpu *v);
// In place of giving way, for v that sleeps: stays on its hart for a moment, if a device is about
// to have something for it, or serves its deadlines if they have come.  True: v goes on.
bool sched_linger(struct vcpu *v);
// v can run from now on.
void sched_started(struct vcpu *v);
// Something has changed for v that it must see: an interrupt line, a request, the state of its VM.
// If it sleeps, it is ready from now on; if it runs on another hart, it leaves its guest.
void sched_wake(struct vcpu *v);
// A deadline of v or of a device of its VM has changed.
void sched_arm(struct vcpu *v);

// The other harts leave their guests and stop: the monitor panics.
void harts_stop(void);

// For the monitor.
struct hart_share {
    u32                id; // mhartid
    bool               up, idle;
    const struct vcpu *running;     // NULL: none
    u64                busy, began; // ticks
    u64                turns, ipis;
};
// False: no hart of that index takes part.
bool sched_hart(u32 index, struct hart_share *share);

// SPDX-License-Identifier: MIT
// Who runs next on a hart.
#pragma once

#include "vm/vm.h"

// Runs virtual machines until none is left that runs.  The boot hart's last call.
void sched_run(void);
// Handles the interrupts of the machine that pend; called from traps and while the hart idles.
void irq_poll(void);
// The upper layer's clock, on the boot hart: at deadline_ticks ring() is called, and sets the next.
struct sched_alarm {
    u64 deadline_ticks; // ~0: never
    void (*ring)(void);
};
extern struct sched_alarm sched_alarm;
// How long v has had a hart, in ticks; the running turn included.
u64 sched_ran(const struct vcpu *v);
// Who runs on that hart; NULL: nobody.
const struct vcpu *sched_running(u32 hart);
// The vCPU sleeps until an interrupt that it enabled pends.
enum outcome sched_wait(struct vcpu *v);
// v can run from now on: who runs gives way.
void sched_started(const struct vcpu *v);
// One that slept, or starts late, is owed 1 ms of the hart at most.
void sched_credit(struct vcpu *v);
// An interrupt line of v went up: if v waits for one, who runs gives way.
void sched_wake(const struct vcpu *v);
// Arms the hart's timer for the vCPU that runs: its deadlines, or the end of its slice.
void sched_arm(const struct vcpu *v);

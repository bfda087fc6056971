// SPDX-License-Identifier: MIT
// Who runs next on a hart.
#pragma once

#include "vm/vm.h"

// Runs virtual machines until none is left that runs.  The boot hart's last call.
void sched_run(void);
// Handles the interrupts of the machine that pend; called from traps and while the hart idles.
void irq_poll(void);
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

// SPDX-License-Identifier: MIT
// The tick: what the monitor does without being asked.
//
// In:     the scheduler's alarm.
// Out:    calls of those who have something to do now and then.
// Always: short: a guest waits meanwhile.
// Locks:  none; boot hart only.
#include "mon/tick.h"

#include "dev/clock.h"
#include "dev/machine.h"
#include "mon/console.h"
#include "mon/prompt.h"
#include "mon/sample.h"
#include "mon/steps.h"
#include "vm/sched.h"
#include "vm/stuck.h"

#define TICKS_PER_SECOND 5

static void tick(void)
{
    sched_alarm.deadline_ticks = clock_now() + machine.timebase_hz / TICKS_PER_SECOND;
    sample_tick();
    console_tick();
    prompt_tick();
    steps_tick();
    for (unsigned i = 0; i < n_vms; i++)
        stuck_watch(vms[i]);
}

void tick_start(void)
{
    sched_alarm.ring = tick;
    tick();
}

// SPDX-License-Identifier: MIT
// The tick: what the monitor does without being asked.
//
// In:     the scheduler's alarm.
// Out:    calls of those who have something to do now and then; parts of a job; what waits for the
//         line, and who.
// Always: short: a guest waits meanwhile.  One thing at a time: a tick, or some VMs that are told
//         of room, or a part of a job.
// Locks:  none; boot hart only.
#include "mon/tick.h"

#include "dev/clock.h"
#include "dev/disk.h"
#include "dev/machine.h"
#include "mon/console.h"
#include "mon/job.h"
#include "mon/prompt.h"
#include "mon/sample.h"
#include "mon/steps.h"
#include "mon/view.h"
#include "vm/sched.h"
#include "vm/stuck.h"

#define TICKS_PER_SECOND 5
#define PARTS_PER_SECOND 1000

static u64 next_tick;

static void tick(void)
{
    next_tick = clock_now() + machine.timebase_hz / TICKS_PER_SECOND;
    sample_tick();
    console_tick();
    prompt_tick();
    steps_tick();
    disks_look();
    for (unsigned i = 0; i < n_vms; i++)
        stuck_watch(vms[i]);
}

static void ring(void)
{
    bool more = console_send();

    if (clock_now() >= next_tick)
        tick();
    else if (view_wakes())
        view_wake_part();
    else
        job_step();
    sched_alarm.deadline_ticks = next_tick;
    if (more || view_wakes() || job_has_room())
        sched_alarm.deadline_ticks =
            min_u64(next_tick, clock_now() + machine.timebase_hz / PARTS_PER_SECOND);
}

void tick_soon(void)
{
    sched_alarm.deadline_ticks = 0;
}

void tick_start(void)
{
    sched_alarm.ring = ring;
    next_tick        = 0;
    ring();
}

// SPDX-License-Identifier: MIT
// Harts and guests in simulated time: the scheduler's queue is the real one, the guests only
// compute and sleep.
#pragma once

#include "dev/machine.h"
#include "rig/rig.h"
#include "vm/runq.h"

#define SIM_VMS 12

// What a guest does: it computes for `burst` ticks, then sleeps for `pause`; without a burst it
// spins.
struct job {
    u64 burst, pause;
};

struct sim_guest {
    struct rig *r;
    struct job  job;
    u64         left;      // of its burst
    u64         begun;     // when it was started
    u64         slept;     // in all
    u64         asleep_at; // since when it sleeps
    u64         ready_at;  // since when it wants a hart
    u64         worst;     // how long it ever had to wait for one
    u64         on_harts;  // bit n: it has been on the hart of index n
};
extern struct sim_guest sim_guests[SIM_VMS];

#define MS ticks_of_ms(1)

// The machine's harts have these numbers; time begins.
void sim_begin(unsigned n_harts, const u32 *ids);
void sim_end(void);
// A guest that is ready from now on; returns its number.
unsigned sim_start(struct job job, u32 weight, u32 cap, u64 harts);
// Time goes on.
void sim_run(u64 ticks);
// What it has had of a hart since it was started, in thousandths.
u64 sim_share(unsigned guest);
// Nothing is remembered of what has been until now.
void sim_forget(void);
void sim_hart(unsigned index); // who calls from now on
void sim_line(unsigned guest); // an interrupt for one that sleeps

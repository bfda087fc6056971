// SPDX-License-Identifier: MIT
// Who wants a hart, and who had how much: between sched.c and runq.c.
#pragma once

#include "arch/lock.h"
#include "vm/sched.h"

#define SLICE_MS    5
#define TURN_MIN_MS 1

// One hart that takes part.  Under runq_lock; `id` is fixed.
struct local {
    u32          id; // mhartid
    bool         up, idle;
    struct vcpu *running; // its guest's turn; NULL: none
    struct vcpu *last;    // who has had the latest turn
    u64          turn_begin, slice_end;
    u64          since; // when `last` got the hart, in one turn or several
    u64          busy, began;
    u64          turns, ipis;
};
extern struct local harts[MAX_HARTS];
extern struct lock  runq_lock;

// What a hart is to do next.
struct choice {
    struct vcpu *best; // wants the hart, and has had the least; NULL: nobody wants it
    unsigned     n_ready;
    u64          deadline; // when one of those that wait wants to be looked at again
    bool         over;     // no VM is left
};

struct local *runq_here(void); // the calling hart's
u64           ticks_of_ms(u64 ms);
// Makes a hart look at its interrupts, and at its slice, anew.  The lock is held.
void hart_poke(struct local *h);

// Arms the calling hart's timer; the boot hart's with the alarm as well.
void hart_arm(u64 deadline_ticks);

// The calling hart takes part.
void runq_join(void);
// Chooses; who was chosen is RUNNING here, and its turn must be ended by runq_turn_over().
void runq_choose(struct choice *c);
// When the turn that was chosen must end, in ticks.
u64 runq_slice_end(const struct choice *c);
// Its guest is about to run, until slice_end; NULL: no guest runs here any more.
void runq_running_set(struct vcpu *v, u64 slice_end);
void runq_turn_over(struct vcpu *v);

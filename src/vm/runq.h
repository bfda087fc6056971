// SPDX-License-Identifier: MIT
// Who wants a hart, and who has one: between sched.c, runq.c and share.c.
#pragma once

#include "arch/lock.h"
#include "vm/sched.h"

// Beside others nobody waits longer than 5 ms for each of them, and 1 ms in all.  Of two that have
// had about the same the one that has waited longer is next, so one may be up to TURN_MIN_MS ahead
// when its slice begins, and the others have that to catch up: a slice is 4 ms.
#define SLICE_MS    4
#define TURN_MIN_MS 1

// One hart that takes part.  Under runq_lock; `id` is fixed.  `running` and `slice_end` are stored
// atomically, since the hart itself reads them without the lock.  `armed` is the hart's own.
struct local {
    u32          id; // mhartid
    bool         up, idle;
    struct vcpu *running; // whose turn it is; NULL: nobody's
    struct vcpu *last;    // who has had the latest turn
    u64          turn_begin, slice_end;
    u64          armed;  // when its timer will ring; 0: it has
    u64          stands; // when its turn began to stand still; 0: it does not
    u64          since;  // when `last` got the hart, in one turn or several
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
    u64          offered;  // to harts of these ids
    u32          entries;  // of those who begin to want a hart
};

struct local *runq_here(void); // the calling hart's

// Takes the lock:

// Makes a hart look at its interrupts, and at its slice, anew.
void runq_poke(struct local *h);
// Arms the calling hart's timer; the boot hart's with the alarm, and what irq_again() waits for, as
// well.  One that will ring before is left alone: a write of it costs more than the few interrupts
// that find nothing to do.
void hart_arm(u64 deadline_ticks);
void hart_timer_rang(void); // it has to be armed anew
// The calling hart takes part.
void runq_join(void);
// Chooses; whose turn it is then is RUNNING here until runq_turn_over().
void runq_choose(struct choice *c);
void runq_turn_over(struct vcpu *v);
// The calling hart's slice is over: then it is endless, and the answer is true.
bool runq_slice_is_over(void);
// Is no vCPU of the VM on a hart but this one?
bool runq_is_alone(const struct vcpu *v);

// With the lock held:

u32  harts_up(void); // that take part
bool hart_may_run(const struct local *h, const struct vcpu *v);

// SPDX-License-Identifier: MIT
// Who has had how much of the harts.  All with runq_lock held, but the last two, which take it.
#pragma once

#include "vm/runq.h"

// What v has had by now, by weight; the turn that goes on included.
u64 share_had(const struct vcpu *v, u64 now);
// Has a had less than b, as one who chooses for h sees it?
bool share_is_before(const struct vcpu *a, const struct vcpu *b, const struct local *h, u64 now);

// v wants a hart from now on: it is owed next to nothing, and owes little.
void share_enter(struct vcpu *v, u64 now);
// The turn that v had on h is over.
void share_charge(struct vcpu *v, struct local *h, u64 now);

// What v may still have of its period, in ticks; ~0 without a cap.
u64 share_cap_left(struct vcpu *v, u64 now);
// Had it none for a while, and has some now?
bool share_enters_anew(struct vcpu *v, u64 now);
// Has it any left?  One that had none for a while enters anew.
bool share_admits(struct vcpu *v, u64 now);
// When its next period begins.
u64 share_cap_renewed(const struct vcpu *v);

// When somebody else wants the calling hart: 0: now, ~0: nobody does.  If not now, then the turn on
// it stands still, as whoever looks sees it,
u64 share_stand(void);
// until it goes on; so much of the time since then is not charged.  Nor is it saved up: v, whose
// turn it is, then stands where it would if it had slept.
void share_forgive(struct vcpu *v, u64 ticks);

// SPDX-License-Identifier: MIT
// Steal-time accounting: what a vCPU's guest is told of the time for which it wanted a hart and had
// none (SBI 2.0, 16).  With vm->lock held.
#pragma once

#include "lib/types.h"
#include "vm/sbi.h"

struct vcpu;

struct steal {
    bool is_on;
    u64  at;        // guest-physical; 64-byte aligned, all 64 bytes in RAM
    u64  before;    // in ticks: what had been stolen when the guest asked
    u64  told;      // in ticks
    u32  sequence;  // even
    bool preempted; // as last written
};

// The guest's request: the physical address in two halves, ~0 and ~0 for "no more".
enum sbi_error steal_place(struct vcpu *v, u64 low, u64 high, u64 flags);
void           steal_reset(struct vcpu *v);
// It is about to run its guest.
void steal_tell(struct vcpu *v);
// It has lost its hart and wants one.
void steal_tell_preempted(struct vcpu *v);

// SPDX-License-Identifier: MIT
// A guest that edits its page tables at random, a hart with a TLB, and a judge.
//
// The guest edits table entries, fences, switches address spaces and modes, and accesses memory.
// The hart walks the shadow tables as silicon would and remembers what it walked until it is
// fenced.  The judge keeps, for each page of each address space, all translations that were valid
// since the last fence that covers it (Priv. 1.12, 4.2.1), and lets an access pass only if one of
// them allows it.
#pragma once

#include "rig/rig.h"

struct shadow_model_options {
    struct rig_options rig;
    unsigned           asid_bits;
    unsigned           n_spaces;      // values of satp that the guest switches among; at most 160
    bool               speculating;   // the hart also walks on its own, right behind each fence
    u64 (*choose)(void *from, u64 n); // a number below n
    void *from;
};

struct shadow_model;

struct shadow_model *shadow_model_make(const struct shadow_model_options *o);
// One random operation.  What is wrong panics with a line that says what.
void shadow_model_step(struct shadow_model *m);
void shadow_model_free(struct shadow_model *m);

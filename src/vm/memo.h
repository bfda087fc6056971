// SPDX-License-Identifier: MIT
// What the last accesses to devices came to: a look-aside like the hart's TLB, one per vCPU.
#pragma once

#include "isa/insn.h"
#include "isa/walk.h"

struct vcpu;
struct vdev;
struct trap;

#define MEMOS 64 // as many as `used` has bits

struct memo {
    // Which access, under which translation:
    u64 pc, tval, cause;
    u64 satp, context; // the mode, SUM and MXR

    // What it came to:
    const u16   *parcels; // where the instruction stands in the machine, not across a page
    struct insn  insn;
    struct vdev *device;
    u64          off;

    // The pages of the guest's leaves that led there, as masks: what a fence of an address meets.
    u64 pc_page, tval_page;
};

struct memos {
    u64         used; // bit n: memo n holds something
    u64         near; // bit n: one's page lies in a block of 2 MiB whose number ends so
    struct memo memo[MEMOS];
};

// NULL: it is not known, or the instruction is another one by now.
const struct memo *memo_find(const struct vcpu *v, const struct trap *t);
// The instruction at pc accessed the device; the caller has checked that the device allows it.
void memo_keep(struct vcpu *v, const struct trap *t, const struct insn *i, struct vdev *d, u64 off);
void memo_forget_all(struct vcpu *v);
void memo_forget_page(struct vcpu *v, gva_t va);

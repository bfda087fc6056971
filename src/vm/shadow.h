// SPDX-License-Identifier: MIT
// Shadow page tables: a virtual TLB.  One per vCPU.
#pragma once

#include "isa/walk.h"

struct vcpu;

#define SHADOW_SPACES     64 // address spaces remembered: (ASID, root) pairs
#define SHADOW_FACES      6  // vU, vS, vS with SUM; each without and with MXR
#define SHADOW_POOL_MIN   16
#define SHADOW_POOL_SPARE 1 // an instruction can need 17 in Sv57: 4 leaves that share only the root
#define SHADOW_POOL_MAX   16384

struct shadow_space {
    u64  satp; // the guest's own value
    bool used;
    u16  roots[SHADOW_FACES]; // page numbers in the pool plus 1; 0: none yet
    u16  pages;               // all its pages, linked through shadow.next; plus 1
    u16  last;
};

_Static_assert(sizeof(struct shadow_space) * SHADOW_SPACES % 64 == 0, "for words_clear()");

struct shadow {
    // Fixed after creation:
    hpa_t pool;
    u32   n_pages;
    u16  *next; // for each page: the next of its list, plus 1

    u16                  free;    // list of free pages, plus 1
    u32                  n_fresh; // pages from here on were never used
    struct shadow_space  spaces[SHADOW_SPACES];
    struct shadow_space *now;       // that of the guest's satp; NULL: look it up
    unsigned             victim;    // next slot to evict
    u64                  real_satp; // what the hart's satp holds for us; 0: nothing of ours
};

// What came of a fault.
enum shadow_result {
    SHADOW_FILLED,       // try again
    SHADOW_PAGE_FAULT,   // the guest's own
    SHADOW_ACCESS_FAULT, // its page tables lie outside RAM
    SHADOW_NOT_RAM,      // the address is no RAM: ask the bus
};

// Forgets everything.
void shadow_flush_all(struct vcpu *v);
// sfence.vma in its four forms: va and asid may each be absent.
void shadow_fence(struct vcpu *v, bool has_va, gva_t va, bool has_asid, u64 asid);
// Chooses the root anew: a pure function of satp, mode, SUM and MXR.
void shadow_follow(struct vcpu *v);
// Handles a fault at va.  On SHADOW_NOT_RAM *at is the guest-physical address.
enum shadow_result shadow_fill(struct vcpu *v, gva_t va, enum access_kind kind, gpa_t *at);
// The entries that the hart meets on its way to va, as things stand, from the root down to the last
// that is not empty; returns how many.  For the monitor.
#define SHADOW_DEPTH_MAX 5
unsigned shadow_look(const struct vcpu *v, gva_t va, u64 entries[SHADOW_DEPTH_MAX]);
// Translates without filling; for the monitor's own reads on behalf of the guest (instruction
// fetch).
enum walk_result shadow_translate(const struct vcpu *v, gva_t va, enum access_kind kind,
                                  struct leaf *leaf);

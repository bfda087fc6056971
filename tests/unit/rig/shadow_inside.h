// SPDX-License-Identifier: MIT
// What the random guest, its hart and its judge share.
#pragma once

#include "lib/panic.h"
#include "rig/reference_walk.h"
#include "rig/shadow_model.h"

#define TABLES     12 // pages of the guest's that hold its tables
#define SPACES_MAX 160
#define VAS_MAX    96
#define PAST_MAX   12 // translations remembered per page; more: anything goes until a fence
#define TLB        64
#define FAULTS_MAX 6 // until an access that the guest allows must have come through
#define KINDS      "rwx"
#define BARE       (PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D | BIT(8)) // no leaf: all goes

struct past {
    struct reference_leaf t[PAST_MAX];
    unsigned              n;
    bool                  anything;
};

struct space {
    u64         satp;
    unsigned    n_vas;
    struct past past[VAS_MAX];
};

// What the hart remembers: a leaf, or that there was none.
struct cached {
    bool valid;
    u64  asid, va, size, pte;
};

struct shadow_model {
    struct shadow_model_options o;
    struct rig                 *r;
    struct vcpu                *v;
    struct space               *spaces, *now;
    u64                         vas[3][VAS_MAX]; // by mode, Sv39 first
    unsigned                    n_vas[3];
    struct cached               tlb[TLB];
    u64                         steps;
};

#define CHECK(cond, ...)                                                                           \
    do {                                                                                           \
        if (!(cond))                                                                               \
            panic(__VA_ARGS__);                                                                    \
    } while (0)

// shadow_judge.c
extern const u16      model_index_low[4];
unsigned              model_mode_index(u64 satp);
void                  model_vas_make(struct shadow_model *m, unsigned mode);
u64                   model_va(const struct shadow_model *m, const struct space *s, unsigned i);
enum reference_result model_guest_walk(const struct shadow_model *m, const struct space *s, u64 va,
                                       char kind, struct reference_leaf *leaf);
// The leaf for va whatever its rights are; false: there is none.
bool model_guest_leaf(const struct shadow_model *m, const struct space *s, u64 va,
                      struct reference_leaf *leaf);
// The guest's tables have changed: what is valid now is remembered.
void model_past_update(struct shadow_model *m);
// A fence of va: this page's past ends, and that of all pages under a leaf that covers va.
void model_past_fence(struct shadow_model *m, struct space *s, unsigned i, u64 va);
void model_past_forget(struct shadow_model *m, struct space *s, unsigned i);
// The hart has made an access to host address `to`: was it right?
void model_judge(struct shadow_model *m, unsigned i, char kind, u64 to);

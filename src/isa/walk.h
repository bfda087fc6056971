// SPDX-License-Identifier: MIT
// The walk of page tables, as the privileged architecture defines it (1.12, 4.3.2 to 4.6), with the
// hardware setting A and D (4.3.1, second scheme).  Pure functions of values; memory is reached
// through a function that the caller gives.
#pragma once

#include "isa/csr.h"

enum access_kind { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };

enum walk_result { WALK_OK, WALK_PAGE_FAULT, WALK_ACCESS_FAULT };

// Who asks, under which rules.
struct walk_rules {
    bool user;            // the access is made in U-mode
    bool sum, mxr;        // sstatus.SUM, sstatus.MXR
    bool svpbmt, svnapot; // what the hart has; without it the bits are reserved
};

// One step: what an entry at a level means.
enum step { STEP_FAULT, STEP_DOWN, STEP_LEAF };

// A non-leaf or a leaf, or an entry that no hart accepts.  Looks at neither rights nor A and D.
enum step walk_step(u64 pte, unsigned level, const struct walk_rules *r);

// May this access use this leaf?  Looks at neither A nor D.
bool walk_allows(u64 pte, enum access_kind kind, const struct walk_rules *r);

// A and D, as they must stand in the leaf before the access may happen.
static inline u64 walk_ad(enum access_kind kind)
{
    return kind == ACCESS_WRITE ? PTE_A | PTE_D : PTE_A;
}

// Where the walk ended.
struct leaf {
    u64      pte;    // as read; A and D may still be clear
    u64      pte_at; // its physical address
    unsigned level;  // 0: 4 KiB, 1: 2 MiB, ...
    u64      pa;     // what va translates to, to the byte
};

// Reads the 8-byte entry at physical address `at`.  False: there is no memory there.
typedef bool pte_reader(const void *memory, u64 at, u64 *pte);

enum walk_result walk(u64 satp, gva_t va, enum access_kind kind, const struct walk_rules *r,
                      pte_reader *read, const void *memory, struct leaf *leaf);

// Levels of a satp mode: 3, 4 or 5; 0 for Bare and for values that are no mode.
unsigned walk_levels(u64 satp);

static inline u64 level_size(unsigned level)
{
    return PAGE_SIZE << (9 * level);
}

// Index into the table at a level.
static inline unsigned level_index(gva_t va, unsigned level)
{
    return (va.a >> (PAGE_SHIFT + 9 * level)) & 511;
}

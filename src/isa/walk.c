// SPDX-License-Identifier: MIT
// The walk of page tables.
//
// In:     satp, a virtual address, the kind of access, the rules in force, a way to read entries.
// Out:    the leaf and the physical address; or which of the two faults the hart would take.
// Always: at most five reads; nothing is written: A and D are the caller's affair.
//         Priv. 1.12, 4.3.2 "Virtual Address Translation Process"; its step numbers stand below.
#include "isa/walk.h"

unsigned walk_levels(u64 satp)
{
    u64 mode = field_get(satp, SATP_MODE);

    return mode >= SATP_SV39 && mode <= SATP_SV57 ? (unsigned)(mode - SATP_SV39) + 3 : 0;
}

// Svnapot: the only size defined is 64 KiB, ppn[3:0] == 1000, and only for 4 KiB leaves.
static bool napot_is_valid(u64 pte, unsigned level, const struct walk_rules *r)
{
    return r->svnapot && level == 0 && (field_get(pte, PTE_PPN) & 15) == 8;
}

enum step walk_step(u64 pte, unsigned level, const struct walk_rules *r)
{
    if (!(pte & PTE_V) || (!(pte & PTE_R) && (pte & PTE_W))) // step 3
        return STEP_FAULT;
    if (pte & PTE_RESERVED)
        return STEP_FAULT;
    if ((pte & PTE_PBMT) && (!r->svpbmt || (pte & PTE_PBMT) == PTE_PBMT))
        return STEP_FAULT;
    if (!(pte & (PTE_R | PTE_X))) // step 4: a pointer; D, A, U, N and PBMT are reserved in it
        return pte & (PTE_D | PTE_A | PTE_U | PTE_N | PTE_PBMT) ? STEP_FAULT : STEP_DOWN;
    if ((pte & PTE_N) && !napot_is_valid(pte, level, r))
        return STEP_FAULT;
    if (field_get(pte, PTE_PPN) & ((1ul << (9 * level)) - 1)) // step 6: misaligned superpage
        return STEP_FAULT;
    return STEP_LEAF;
}

bool walk_allows(u64 pte, enum access_kind kind, const struct walk_rules *r) // step 5
{
    if (r->user != !!(pte & PTE_U) && (r->user || kind == ACCESS_FETCH || !r->sum))
        return false;
    switch (kind) {
    case ACCESS_READ:  return pte & PTE_R || (r->mxr && pte & PTE_X);
    case ACCESS_WRITE: return pte & PTE_W;
    case ACCESS_FETCH: return pte & PTE_X;
    }
    return false;
}

// All bits above the highest translated one must equal it (4.3.1, 4.4.1, 4.5.1).
static bool is_canonical(gva_t va, unsigned levels)
{
    return (u64)sign_extend(va.a, PAGE_SHIFT + 9 * levels) == va.a;
}

static u64 leaf_address(u64 pte, unsigned level, gva_t va)
{
    u64 page = field_get(pte, PTE_PPN) << PAGE_SHIFT;
    u64 size = level_size(level);

    if (pte & PTE_N) {
        size = 64 * KIB;
        page = align_down(page, size);
    }
    return page | (va.a & (size - 1));
}

enum walk_result walk(u64 satp, gva_t va, enum access_kind kind, const struct walk_rules *r,
                      pte_reader *read, const void *memory, struct leaf *leaf)
{
    unsigned level = walk_levels(satp);
    u64      table = field_get(satp, SATP_PPN) << PAGE_SHIFT;

    if (!is_canonical(va, level))
        return WALK_PAGE_FAULT;
    while (level-- > 0) {
        leaf->pte_at = table + 8 * level_index(va, level); // step 2
        if (!read(memory, leaf->pte_at, &leaf->pte))
            return WALK_ACCESS_FAULT;
        switch (walk_step(leaf->pte, level, r)) {
        case STEP_FAULT: return WALK_PAGE_FAULT;
        case STEP_DOWN:  table = field_get(leaf->pte, PTE_PPN) << PAGE_SHIFT; break;
        case STEP_LEAF:
            if (!walk_allows(leaf->pte, kind, r))
                return WALK_PAGE_FAULT;
            leaf->level = level;
            leaf->pa    = leaf_address(leaf->pte, level, va);
            return WALK_OK;
        }
    }
    return WALK_PAGE_FAULT;
}

// SPDX-License-Identifier: MIT
// The reference walk.
//
// In:     satp with mode 8, 9 or 10; an address, a kind of access, rules.
// Out:    what a hart does.
// Always: one statement per sentence of the specification; speed is no aim.
// Locks:  none.
#include "rig/reference_walk.h"

#define BIT_OF(word, n) ((int)((word) >> (n)) & 1)

static uint64_t bits_of(uint64_t word, int hi, int lo)
{
    return word << (63 - hi) >> (63 - hi + lo);
}

static bool address_is_valid(uint64_t va, int levels)
{
    int top = 12 + 9 * levels - 1;

    for (int n = top + 1; n < 64; n++)
        if (BIT_OF(va, n) != BIT_OF(va, top))
            return false;
    return true;
}

// Step 3, and the encodings that other chapters reserve.
static bool is_reserved(uint64_t pte, const struct reference_rules *r)
{
    bool pointer = !BIT_OF(pte, 1) && !BIT_OF(pte, 2) && !BIT_OF(pte, 3);

    if (BIT_OF(pte, 2) && !BIT_OF(pte, 1))
        return true;
    if (bits_of(pte, 60, 54))
        return true;
    if (bits_of(pte, 62, 61) && !r->svpbmt)
        return true;
    if (bits_of(pte, 62, 61) == 3)
        return true;
    if (BIT_OF(pte, 63) && !r->svnapot)
        return true;
    if (pointer && (BIT_OF(pte, 4) || BIT_OF(pte, 6) || BIT_OF(pte, 7)))
        return true;
    return pointer && (BIT_OF(pte, 63) || bits_of(pte, 62, 61));
}

// Step 5.
static bool is_allowed(uint64_t pte, char kind, const struct reference_rules *r)
{
    bool readable = BIT_OF(pte, 1), writable = BIT_OF(pte, 2), executable = BIT_OF(pte, 3);
    bool user_page = BIT_OF(pte, 4);

    if (r->user && !user_page)
        return false;
    if (!r->user && user_page && kind == 'x')
        return false;
    if (!r->user && user_page && !r->sum)
        return false;
    if (kind == 'r')
        return readable || (executable && r->mxr);
    return kind == 'w' ? writable : executable;
}

// Step 8, with the substitution that Svnapot makes for a 64 KiB page.
static uint64_t physical(uint64_t pte, int level, uint64_t va)
{
    uint64_t ppn = bits_of(pte, 53, 10), vpn = bits_of(va, 63, 12);
    int      from_va = BIT_OF(pte, 63) ? 4 : 9 * level;

    for (int n = 0; n < from_va; n++) {
        ppn &= ~(UINT64_C(1) << n);
        ppn |= (uint64_t)BIT_OF(vpn, n) << n;
    }
    return ppn * 4096 + va % 4096;
}

enum reference_result reference_walk(uint64_t satp, uint64_t va, char kind,
                                     const struct reference_rules *r, reference_reader *read,
                                     const void *memory, struct reference_leaf *leaf)
{
    int      levels = (int)bits_of(satp, 63, 60) - 5, level;
    uint64_t a      = bits_of(satp, 43, 0) * 4096, pte;

    if (!address_is_valid(va, levels))
        return REFERENCE_PAGE_FAULT;
    for (level = levels - 1;; level--) {
        uint64_t at = a + 8 * bits_of(va, 12 + 9 * level + 8, 12 + 9 * level);

        if (!read(memory, at, &pte))
            return REFERENCE_ACCESS_FAULT;
        leaf->pte    = pte;
        leaf->pte_at = at;
        if (!BIT_OF(pte, 0) || is_reserved(pte, r))
            return REFERENCE_PAGE_FAULT;
        if (BIT_OF(pte, 1) || BIT_OF(pte, 3))
            break;
        if (level == 0)
            return REFERENCE_PAGE_FAULT;
        a = bits_of(pte, 53, 10) * 4096;
    }
    if (kind && !is_allowed(pte, kind, r))
        return REFERENCE_PAGE_FAULT;
    if (level > 0 && bits_of(pte, 10 + 9 * level - 1, 10))
        return REFERENCE_PAGE_FAULT;
    if (BIT_OF(pte, 63) && (level > 0 || bits_of(pte, 13, 10) != 8))
        return REFERENCE_PAGE_FAULT;
    if (r->check_ad && (!BIT_OF(pte, 6) || (kind == 'w' && !BIT_OF(pte, 7))))
        return REFERENCE_PAGE_FAULT;
    leaf->level = level;
    leaf->pa    = physical(pte, level, va);
    return REFERENCE_OK;
}

// SPDX-License-Identifier: MIT
// Proofs: one step of the page walk, and a whole walk, for all entries, addresses and rules.
#include "proof.h"

#include "isa/walk.c"
#include "rig/reference_walk.h"

void prove_walk_step(void);
void prove_walk_allows(void);
void prove_walk_of_sv39(void);
void prove_walk_of_sv48(void);
void prove_walk_of_sv57(void);

static struct walk_rules any_rules(void)
{
    return (struct walk_rules){ nondet_bool(), nondet_bool(), nondet_bool(), nondet_bool(),
                                nondet_bool() };
}

static bool bit(u64 word, unsigned n)
{
    return word >> n & 1;
}

// Priv. 1.12, 4.3.2, steps 3, 4 and 6, with 5.1 "Svnapot" and 5.2 "Svpbmt".
static enum step spec_step(u64 pte, unsigned level, const struct walk_rules *r)
{
    bool v = bit(pte, 0), rd = bit(pte, 1), w = bit(pte, 2), x = bit(pte, 3);
    bool leaf = rd || x, n = bit(pte, 63);
    u64  pbmt = pte >> 61 & 3, ppn = pte << 10 >> 20;

    if (!v || (!rd && w))
        return STEP_FAULT;
    if (pte >> 54 & 0x7f) // bits 60:54
        return STEP_FAULT;
    if (pbmt == 3 || (pbmt && !r->svpbmt) || (n && !r->svnapot))
        return STEP_FAULT;
    if (!leaf)
        return bit(pte, 4) || bit(pte, 6) || bit(pte, 7) || n || pbmt ? STEP_FAULT : STEP_DOWN;
    for (unsigned i = 0; i < 36; i++)
        if (i < 9 * level && bit(ppn, i))
            return STEP_FAULT;
    if (n && (level || (ppn & 15) != 8))
        return STEP_FAULT;
    return STEP_LEAF;
}

void prove_walk_step(void)
{
    u64               pte   = nondet_u64();
    u32               level = nondet_u32();
    struct walk_rules r     = any_rules();

    ASSUME(level <= 4);
    CLAIM(walk_step(pte, level, &r) == spec_step(pte, level, &r));
}

// Step 5.
void prove_walk_allows(void)
{
    u64               pte  = nondet_u64();
    u32               kind = nondet_u32();
    struct walk_rules r    = any_rules();
    bool              may, user_page = bit(pte, 4);

    ASSUME(kind <= ACCESS_FETCH);
    may = kind == ACCESS_READ    ? bit(pte, 1) || (r.mxr && bit(pte, 3))
          : kind == ACCESS_WRITE ? bit(pte, 2)
                                 : bit(pte, 3);
    if (r.user)
        may = may && user_page;
    else if (user_page)
        may = may && r.sum && kind != ACCESS_FETCH;
    CLAIM(walk_allows(pte, (enum access_kind)kind, &r) == may);
}

// A memory that says anything, but the same to both walkers.
static struct {
    u64  at[5], pte[5];
    bool there[5];
} asked;
static unsigned n_asked, n_again;

static bool first_read(const void *memory, u64 at, u64 *pte)
{
    (void)memory;
    CLAIM(n_asked < 5);
    CLAIM(at % 8 == 0);
    asked.at[n_asked]    = at;
    asked.pte[n_asked]   = nondet_u64();
    asked.there[n_asked] = nondet_bool();
    *pte                 = asked.pte[n_asked];
    return asked.there[n_asked++];
}

static bool second_read(const void *memory, u64 at, u64 *pte)
{
    (void)memory;
    CLAIM(n_again < n_asked);
    CLAIM(at == asked.at[n_again]);
    *pte = asked.pte[n_again];
    return asked.there[n_again++];
}

// The whole walk equals the reference that the unit tests have.  The root is a constant, which lets
// CBMC see the number of levels at once; the other tables are anywhere.
static void walk_compare(u64 mode)
{
    u64                    satp = mode << 60 | 0x5a5abcdef012345, va = nondet_u64();
    u32                    kind = nondet_u32();
    struct walk_rules      r    = any_rules();
    struct reference_rules s    = { r.user, r.sum, r.mxr, r.svpbmt, r.svnapot, false };
    struct leaf            leaf = { 0 };
    struct reference_leaf  want = { 0 };

    ASSUME(kind <= ACCESS_FETCH);
    n_asked = n_again = 0;

    enum walk_result got = walk(satp, gva(va), (enum access_kind)kind, &r, first_read, NULL, &leaf);
    enum reference_result ref = reference_walk(satp, va,
                                               kind == ACCESS_READ    ? 'r'
                                               : kind == ACCESS_WRITE ? 'w'
                                                                      : 'x',
                                               &s, second_read, NULL, &want);

    CLAIM((int)got == (int)ref);
    if (got == WALK_OK) {
        CLAIM(leaf.pa == want.pa && leaf.pte == want.pte && leaf.pte_at == want.pte_at);
        CLAIM((int)leaf.level == want.level);
    }
}

void prove_walk_of_sv39(void)
{
    walk_compare(SATP_SV39);
}

void prove_walk_of_sv48(void)
{
    walk_compare(SATP_SV48);
}

void prove_walk_of_sv57(void)
{
    walk_compare(SATP_SV57);
}

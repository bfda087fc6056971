// SPDX-License-Identifier: MIT
// Shadow page tables: what the hart really walks while a guest runs.
//
// In:     a guest page fault, sfence.vma, a change of satp or of mode.
// Out:    leaves that the hart walks; "the guest's own fault"; or "not RAM", and then the access
//         belongs to the bus.
// Always: a leaf allows no more than the guest's own leaf does, less what the guest's A and D bits
//         have not yet granted, less what is not the VM's RAM.  Therefore deleting any leaf at any
//         time is safe, and there is no other consistency protocol: a guest's change shows when it
//         executes sfence.vma, as on a hart with a TLB (Priv. 1.12, 4.2.1).
//         A face is one way to look at an address space: vU; vS without user pages; vS with them
//         (SUM).  Each has a root of its own where real U-mode runs them all.  Where vS is real,
//         the hart itself goes by U, SUM and MXR, and one face is enough; without translation there
//         is none of these, and the two modes have a face each.
// Locks:  none.  The tables belong to one vCPU and so to one hart.
#include "vm/shadow.h"

#include "arch/hart.h"
#include "lib/panic.h"
#include "lib/words.h"
#include "vm/engine.h"
#include "vm/gmem.h"

#include <string.h>

// Two bits that the hart leaves to software (RSW, 4.3.1).  A guest's fence names one address of a
// page; where its page is larger than ours, all our pieces of it must go.
#define PTE_SPLIT BIT(8) // on a pointer: it stands where the guest has a leaf
#define PTE_NAPOT BIT(9) // on a leaf: one of the 16 pieces of a 64 KiB page

static u64 *page_at(const struct shadow *s, u16 page)
{
    return (u64 *)(s->pool.a + (page - 1) * PAGE_SIZE);
}

static u64 pointer_to(const struct shadow *s, u16 page)
{
    return ((s->pool.a >> PAGE_SHIFT) + page - 1) << 10 | PTE_V;
}

static u64 *table_of(u64 pointer)
{
    return (u64 *)(field_get(pointer, PTE_PPN) << PAGE_SHIFT);
}

static bool is_pointer(u64 entry)
{
    return (entry & (PTE_V | PTE_R | PTE_W | PTE_X)) == PTE_V;
}

// A zeroed table for this space; 0: the pool is used up.
static u16 page_alloc(struct shadow *s, struct shadow_space *space)
{
    u16 page = s->free;

    if (page)
        s->free = s->next[page - 1];
    else if (s->n_fresh < s->n_pages)
        page = (u16)(++s->n_fresh);
    else
        return 0;
    words_clear(page_at(s, page), PAGE_SIZE);
    s->next[page - 1] = space->pages;
    if (!space->pages)
        space->last = page;
    space->pages = page;
    return page;
}

// Gives a space's pages back; the hart may still know them, so the caller fences.
static void space_drop(struct shadow *s, struct shadow_space *space)
{
    if (space->pages) {
        s->next[space->last - 1] = s->free;
        s->free                  = space->pages;
    }
    memset(space, 0, sizeof *space);
    if (s->now == space)
        s->now = NULL;
}

// Tables were dropped.  The hart is taken off them before it is told to forget, or a walk that it
// does ahead of time could bring them back.
static void root_leave(struct vcpu *v)
{
    if (v->shadow.real_satp) // otherwise the hart is not on them
        hart_satp_set(0);
    v->shadow.real_satp = 0;
    v->stats.flushes++;
    pend(v, PEND_FOLLOW);
}

void shadow_flush_all(struct vcpu *v)
{
    struct shadow *s = &v->shadow;

    memo_forget_all(v);
    words_clear(s->spaces, sizeof s->spaces);
    s->now     = NULL;
    s->free    = 0;
    s->n_fresh = 0;
    root_leave(v);
}

static struct shadow_space *space_evict(struct vcpu *v)
{
    struct shadow       *s     = &v->shadow;
    struct shadow_space *space = &s->spaces[s->victim++ % SHADOW_SPACES];

    if (space->used) {
        space_drop(s, space);
        root_leave(v);
    }
    return space;
}

// The space of the guest's satp.  A guest that switches back finds what it had.
static struct shadow_space *space_now(struct vcpu *v)
{
    struct shadow *s = &v->shadow;

    if (s->now && s->now->satp == v->csr.satp)
        return s->now;
    s->now = NULL;
    for (unsigned i = 0; i < SHADOW_SPACES && !s->now; i++)
        if (s->spaces[i].used && s->spaces[i].satp == v->csr.satp)
            s->now = &s->spaces[i];
    if (!s->now) {
        s->now       = space_evict(v);
        s->now->used = true;
        s->now->satp = v->csr.satp;
    }
    return s->now;
}

// In U-mode Bare has one face: neither mode nor SUM nor MXR matter.
static unsigned face_now(const struct vcpu *v)
{
    u64      status = v->csr.mstatus;
    unsigned face   = v->mode == MODE_U ? 0 : status & STATUS_SUM ? 2 : 1;

    if (v->engine->s_is_real)
        return !walk_levels(v->csr.satp) && v->mode != MODE_U;
    if (!walk_levels(v->csr.satp))
        return 0;
    return face + (status & STATUS_MXR ? 3 : 0);
}

// Bare is shadowed by Sv39: all of a VM's memory lies below 2^38.
static enum satp_mode real_mode(u64 guest_satp)
{
    u64 mode = field_get(guest_satp, SATP_MODE);

    return mode == SATP_BARE ? SATP_SV39 : (enum satp_mode)mode;
}

// Each root has an ASID of its own where the hart has that many; otherwise 0, and each switch
// flushes.
static u64 root_satp(const struct vcpu *v, const struct shadow_space *space, unsigned face)
{
    const struct shadow *s    = &v->shadow;
    u64                  asid = 1 + (u64)(space - s->spaces) * SHADOW_FACES + face;
    u64                  satp = field_set(0, SATP_MODE, real_mode(space->satp));

    if (asid < BIT(hart_caps.asid_bits))
        satp = field_set(satp, SATP_ASID, asid);
    return satp | field_get(pointer_to(s, space->roots[face]), PTE_PPN);
}

void shadow_follow(struct vcpu *v)
{
    struct shadow       *s     = &v->shadow;
    struct shadow_space *space = space_now(v);
    unsigned             face  = face_now(v);

    if (!space->roots[face] && !(space->roots[face] = page_alloc(s, space))) {
        shadow_flush_all(v);
        space              = space_now(v);
        space->roots[face] = page_alloc(s, space);
    }

    u64 satp = root_satp(v, space, face);

    if (satp != s->real_satp) {
        s->real_satp = satp;
        v->stats.switches++;
        hart_satp_set(satp);
    }
}

// What the leaf grants to this face.  W waits for D, so that the first store comes to us.  vS may
// with SUM read and write a user page, but never execute it (4.3.1).
static u64 leaf_rights(u64 pte, bool user, bool mxr)
{
    u64 rights = pte & (PTE_R | PTE_X);

    if (pte & PTE_D)
        rights |= pte & PTE_W;
    if (mxr && pte & PTE_X)
        rights |= PTE_R;
    return pte & PTE_U && !user ? rights & ~PTE_X : rights;
}

// The whole of what the hart is to go by: rights and U.
static u64 leaf_bits(const struct vcpu *v, u64 pte)
{
    bool user = v->mode == MODE_U;

    if (!v->engine->s_is_real)
        return leaf_rights(pte, user, v->csr.mstatus & STATUS_MXR) | PTE_U;
    if (!walk_levels(v->csr.satp))
        return leaf_rights(pte, true, false) | (user ? PTE_U : 0);
    return leaf_rights(pte, true, false) | (pte & PTE_U);
}

// The largest page around `at` that both the guest's leaf and the VM's memory allow.
static unsigned leaf_level(const struct vm *vm, gpa_t at, unsigned guest_level)
{
    unsigned level = guest_level;

    for (; level > 0; level--) {
        u64 size = level_size(level), base = align_down(at.a, size);

        if (gmem_contains(vm, gpa(base), size) && is_aligned(gmem_to_host(vm, gpa(base)).a, size))
            break;
    }
    return level;
}

// Finds the entry for va at a level, adding tables on the way; those under a guest's larger page
// are marked.  NULL: the pool is used up.
static u64 *entry_make(struct vcpu *v, struct shadow_space *space, u16 root, gva_t va,
                       unsigned level, unsigned guest_level)
{
    struct shadow *s     = &v->shadow;
    u64           *table = page_at(s, root);

    for (unsigned l = walk_levels(field_set(0, SATP_MODE, real_mode(space->satp))) - 1; l > level;
         l--) {
        u64 *entry = &table[level_index(va, l)];

        if (!is_pointer(*entry)) {
            u16 page = page_alloc(s, space);

            if (!page)
                return NULL;
            bool was_leaf = *entry;

            *entry = pointer_to(s, page);
            if (was_leaf) // a superpage that the guest has split
                hart_fence_all();
        }
        if (l <= guest_level)
            *entry |= PTE_SPLIT;
        table = table_of(*entry);
    }
    return &table[level_index(va, level)];
}

static void entry_set(u64 *entry, u64 leaf, gva_t va)
{
    u64 old = *entry;

    *entry = leaf;
    if (old == leaf) // the hart did not see it yet, or remembers an older one
        hart_fence_page(va);
    else if (is_pointer(old)) // small pages that the guest has merged
        hart_fence_all();
}

// Of another memory type (Svpbmt) it would be behind the caches, where there may still be what RAM
// held before it was cleared for this guest.
static void leaf_map(struct vcpu *v, gva_t va, const struct leaf *leaf)
{
    unsigned level = leaf_level(v->vm, gpa(leaf->pa), leaf->level);
    hpa_t    to    = gmem_to_host(v->vm, gpa(align_down(leaf->pa, level_size(level))));
    u64      entry = (to.a >> PAGE_SHIFT) << 10 | PTE_V | PTE_A | PTE_D |
                (leaf->pte & PTE_N ? PTE_NAPOT : 0) | leaf_bits(v, leaf->pte);

    v->stats.fills++;
    for (int turn = 0; turn < 2; turn++) {
        struct shadow_space *space = space_now(v);
        u16                  root  = space->roots[face_now(v)];
        u64                 *at = root ? entry_make(v, space, root, va, level, leaf->level) : NULL;

        if (at) {
            entry_set(at, entry, va);
            return;
        }
        shadow_flush_all(v);
        shadow_follow(v);
    }
    panic("a fresh shadow pool of %u pages has no room for one leaf", v->shadow.n_pages);
}

static struct walk_rules rules_now(const struct vcpu *v)
{
    struct walk_rules r = v->vm->walk_base;

    r.user = v->mode == MODE_U;
    r.sum  = v->csr.mstatus & STATUS_SUM;
    r.mxr  = v->csr.mstatus & STATUS_MXR;
    return r;
}

enum walk_result shadow_translate(const struct vcpu *v, gva_t va, enum access_kind kind,
                                  struct leaf *leaf)
{
    struct walk_rules r = rules_now(v);

    if (!walk_levels(v->csr.satp)) {
        *leaf = (struct leaf){ .pte   = PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D,
                               .level = 3,
                               .pa    = va.a };
        return WALK_OK;
    }
    return walk(v->csr.satp, va, kind, &r, gmem_pte, v->vm, leaf);
}

// Sets A, and D for a store, in the guest's own entry, as hardware would; true if they stand.
// The entry may have changed since it was read: then the walk is repeated.
static bool ad_set(struct vcpu *v, struct leaf *leaf, enum access_kind kind)
{
    u64 missing = walk_ad(kind) & ~leaf->pte;

    if (!missing)
        return true;
    if (!gmem_set_bits(v->vm, gpa(leaf->pte_at), leaf->pte, missing))
        return false;
    leaf->pte |= missing;
    return true;
}

#ifdef TEST_SHADOW_HOLE
// Only in the build that shows what stands behind the shadow tables: guest-physical addresses from
// TEST_SHADOW_HOLE on lead to the machine's own, as a bug in this file might.  PMP must stop the
// access.
static bool hole_map(struct vcpu *v, gva_t va, const struct leaf *leaf)
{
    struct shadow_space *space = space_now(v);
    u64                 *at    = entry_make(v, space, space->roots[face_now(v)], va, 0, 0);

    if (leaf->pa < TEST_SHADOW_HOLE || leaf->pa - TEST_SHADOW_HOLE >= GIB || !at || *at)
        return false;
    *at = (VM_RAM_BASE + leaf->pa - TEST_SHADOW_HOLE) >> PAGE_SHIFT << 10 | PTE_V | PTE_A | PTE_D |
          PTE_R | PTE_W | PTE_X | (leaf_bits(v, leaf->pte) & PTE_U);
    return true;
}
#else
#define hole_map(v, va, leaf) false
#endif

enum shadow_result shadow_fill(struct vcpu *v, gva_t va, enum access_kind kind, gpa_t *at)
{
    struct leaf leaf;

    switch (shadow_translate(v, va, kind, &leaf)) {
    case WALK_PAGE_FAULT:   return SHADOW_PAGE_FAULT;
    case WALK_ACCESS_FAULT: return SHADOW_ACCESS_FAULT;
    case WALK_OK:           break;
    }
    if (!ad_set(v, &leaf, kind))
        return SHADOW_FILLED; // another hart changed the entry: the guest faults again
    if (!gmem_contains(v->vm, gpa(align_down(leaf.pa, PAGE_SIZE)), PAGE_SIZE)) {
        if (hole_map(v, va, &leaf))
            return SHADOW_FILLED;
        *at = gpa(leaf.pa);
        return SHADOW_NOT_RAM;
    }
    leaf_map(v, va, &leaf);
    return SHADOW_FILLED;
}

// What the hart has to forget after entries were cleared.
enum forget { FORGET_NOTHING, FORGET_PAGE, FORGET_ALL };

// Clears a leaf and, if it is a piece of a 64 KiB page, its 15 siblings.
static enum forget entry_clear(u64 *entry)
{
    if (*entry & PTE_NAPOT && !is_pointer(*entry)) {
        memset((u64 *)align_down((u64)entry, 16 * sizeof *entry), 0, 16 * sizeof *entry);
        return FORGET_ALL;
    }
    *entry = 0;
    return FORGET_PAGE;
}

static enum forget leaf_forget(const struct vcpu *v, const struct shadow_space *space, u16 root,
                               gva_t va)
{
    u64 *table = page_at(&v->shadow, root);

    for (unsigned l = walk_levels(field_set(0, SATP_MODE, real_mode(space->satp))); l-- > 0;) {
        u64 *entry = &table[level_index(va, l)];

        if (!*entry)
            return FORGET_NOTHING;
        if (!is_pointer(*entry))
            return entry_clear(entry);
        if (*entry & PTE_SPLIT) {
            *entry = 0; // the tables behind it stay with the space until that is dropped
            return FORGET_ALL;
        }
        table = table_of(*entry);
    }
    return FORGET_NOTHING;
}

static enum forget space_forget(const struct vcpu *v, const struct shadow_space *space, gva_t va)
{
    enum forget most = FORGET_NOTHING;

    for (unsigned face = 0; face < SHADOW_FACES; face++) {
        enum forget f = FORGET_NOTHING;

        if (space->roots[face])
            f = leaf_forget(v, space, space->roots[face], va);
        most = f > most ? f : most;
    }
    return most;
}

static bool is_of_asid(const struct shadow_space *space, bool has_asid, u64 asid)
{
    return space->used && (!has_asid || field_get(space->satp, SATP_ASID) == asid);
}

unsigned shadow_look(const struct vcpu *v, gva_t va, u64 entries[SHADOW_DEPTH_MAX])
{
    const struct shadow       *s     = &v->shadow;
    const struct shadow_space *space = s->spaces;
    unsigned n = 0, level = walk_levels(field_set(0, SATP_MODE, real_mode(v->csr.satp)));

    while (space < s->spaces + SHADOW_SPACES && !(space->used && space->satp == v->csr.satp))
        space++;
    if (space == s->spaces + SHADOW_SPACES || !space->roots[face_now(v)])
        return 0;
    for (const u64 *table = page_at(s, space->roots[face_now(v)]); level-- > 0;) {
        u64 entry = table[level_index(va, level)];

        if (entry)
            entries[n++] = entry;
        if (!is_pointer(entry))
            break;
        table = table_of(entry);
    }
    return n;
}

static void fence_page(struct vcpu *v, gva_t va, bool has_asid, u64 asid)
{
    enum forget most = FORGET_NOTHING;

    for (unsigned i = 0; i < SHADOW_SPACES; i++)
        if (is_of_asid(&v->shadow.spaces[i], has_asid, asid)) {
            enum forget f = space_forget(v, &v->shadow.spaces[i], va);

            most = f > most ? f : most;
        }
    if (most == FORGET_ALL)
        hart_fence_all();
    else if (most == FORGET_PAGE)
        hart_fence_page(va);
}

void shadow_fence(struct vcpu *v, bool has_va, gva_t va, bool has_asid, u64 asid)
{
    asid &= BIT(hart_caps.asid_bits) - 1; // bits that the hart lacks are ignored (4.2.1)
    if (has_va) {
        memo_forget_page(v, va);
        fence_page(v, va, has_asid, asid);
        return;
    }
    memo_forget_all(v);
    if (!has_asid) {
        shadow_flush_all(v);
        return;
    }
    for (unsigned i = 0; i < SHADOW_SPACES; i++)
        if (is_of_asid(&v->shadow.spaces[i], true, asid))
            space_drop(&v->shadow, &v->shadow.spaces[i]);
    root_leave(v);
}

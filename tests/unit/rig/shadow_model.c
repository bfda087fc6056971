// SPDX-License-Identifier: MIT
// The random guest and the hart that runs it.
//
// In:     numbers from choose().
// Out:    calls of the shadow's functions as the run loop makes them; a panic if the judge objects.
// Always: the guest's addresses come from a small set, so that the judge can look at all of them.
// Locks:  none.
#include "rig/shadow_inside.h"

#include <stdlib.h>
#include <string.h>

static struct shadow_model *at_work; // for the fake hart's hooks

static u64 choose(struct shadow_model *m, u64 n)
{
    return m->o.choose(m->o.from, n);
}

static bool chance(struct shadow_model *m, u64 one_in)
{
    return !choose(m, one_in);
}

// The hart: U-mode, SUM and MXR clear, PMP around it.

static bool pool_read(const void *from, u64 at, u64 *pte)
{
    const struct shadow *s = &((const struct shadow_model *)from)->v->shadow;

    CHECK(range_contains(s->pool.a, s->n_pages * PAGE_SIZE, at, 8),
          "a shadow table lies outside the pool: %lx", at);
    memcpy(pte, (void *)at, sizeof *pte);
    return true;
}

static bool hart_walk(struct shadow_model *m, u64 va, char kind, struct reference_leaf *leaf)
{
    struct reference_rules r = { .user = true, .svpbmt = true, .check_ad = true };

    return reference_walk(fake_hart.satp, va, kind, &r, pool_read, m, leaf) == REFERENCE_OK;
}

static struct cached *tlb_find(struct shadow_model *m, u64 va)
{
    unsigned first = (unsigned)choose(m, TLB);

    for (unsigned n = 0; n < TLB; n++) {
        struct cached *c = &m->tlb[(first + n) % TLB];

        if (c->valid && c->asid == field_get(fake_hart.satp, SATP_ASID) && va - c->va < c->size)
            return c;
    }
    return NULL;
}

static void tlb_add(struct shadow_model *m, u64 va)
{
    struct cached        *c    = &m->tlb[choose(m, TLB)];
    struct reference_leaf leaf = { 0 };
    bool                  is   = false;

    if (!field_get(fake_hart.satp, SATP_MODE))
        return;
    for (unsigned n = 0; n < 3 && !is; n++)
        is = hart_walk(m, va, KINDS[n], &leaf);
    c->valid = true;
    c->asid  = field_get(fake_hart.satp, SATP_ASID);
    c->size  = is ? level_size((unsigned)leaf.level) : PAGE_SIZE;
    c->va    = align_down(va, c->size);
    c->pte   = is ? leaf.pte : 0;
}

static void speculate(struct shadow_model *m)
{
    for (unsigned n = 0; n < 4; n++)
        tlb_add(m, model_va(m, m->now, (unsigned)choose(m, m->now->n_vas)));
}

static void on_fence(bool has_va, gva_t va)
{
    struct shadow_model *m = at_work;

    for (unsigned n = 0; n < TLB; n++)
        if (!has_va || va.a - m->tlb[n].va < m->tlb[n].size)
            m->tlb[n].valid = false;
    if (m->o.speculating && m->now)
        speculate(m);
}

// One try of an access.  True: it is made, *to says where.
static bool hart_try(struct shadow_model *m, u64 va, char kind, u64 *to)
{
    struct reference_leaf leaf;
    struct cached        *c = tlb_find(m, va);

    if (!c) {
        if (!hart_walk(m, va, kind, &leaf)) {
            if (chance(m, 2))
                tlb_add(m, va); // some harts remember that there was nothing
            return false;
        }
        tlb_add(m, va);
        *to = leaf.pa;
        return true;
    }
    *to = (field_get(c->pte, PTE_PPN) << PAGE_SHIFT) | (va & (c->size - 1));
    return c->pte & (kind == 'r' ? PTE_R : kind == 'w' ? PTE_W : PTE_X);
}

// The guest

static enum access_kind kind_of(char kind)
{
    return kind == 'r' ? ACCESS_READ : kind == 'w' ? ACCESS_WRITE : ACCESS_FETCH;
}

static void settle(struct shadow_model *m)
{
    if (m->v->pending & PEND_FOLLOW)
        shadow_follow(m->v);
    m->v->pending = 0;
}

// A fault; true: try again.
static bool fault_handle(struct shadow_model *m, u64 va, char kind)
{
    struct reference_leaf leaf = { 0 };
    enum reference_result want = model_guest_walk(m, m->now, va, kind, &leaf);
    gpa_t                 at   = gpa(0);
    u64                   ad   = kind == 'w' ? PTE_A | PTE_D : PTE_A;
    bool is_ram = gmem_contains(&m->r->vm, gpa(align_down(leaf.pa, PAGE_SIZE)), PAGE_SIZE);

    enum shadow_result got = shadow_fill(m->v, gva(va), kind_of(kind), &at);

    if (want == REFERENCE_OK && (leaf.pte & ad) != ad) {
        CHECK((rig_word(m->r, leaf.pte_at) & ad) == ad, "step %lu: A and D are not set", m->steps);
        model_past_update(m);
    }
    switch (got) {
    case SHADOW_PAGE_FAULT:
        CHECK(want == REFERENCE_PAGE_FAULT, "step %lu: a page fault at %lx, pte %lx", m->steps, va,
              leaf.pte);
        return false;
    case SHADOW_ACCESS_FAULT:
        CHECK(want == REFERENCE_ACCESS_FAULT, "step %lu: an access fault at %lx", m->steps, va);
        return false;
    case SHADOW_NOT_RAM:
        CHECK(want == REFERENCE_OK && !is_ram && at.a == leaf.pa, "step %lu: %lx is RAM", m->steps,
              leaf.pa);
        return false;
    case SHADOW_FILLED: break;
    }
    CHECK(want == REFERENCE_OK && is_ram, "step %lu: filled '%c' at %lx, pte %lx", m->steps, kind,
          va, leaf.pte);
    settle(m);
    return true;
}

// A page of the current space; often one whose translation has changed since its last fence.
static unsigned page_choose(struct shadow_model *m)
{
    unsigned first = (unsigned)choose(m, m->now->n_vas), n = m->now->n_vas;

    if (chance(m, 2))
        return first;
    for (unsigned i = 0; i < n; i++)
        if (m->now->past[(first + i) % n].n > 1)
            return (first + i) % n;
    return first;
}

static void access_at(struct shadow_model *m, unsigned i)
{
    char kind = KINDS[choose(m, 3)];
    u64  va   = model_va(m, m->now, i) + 8 * choose(m, 512), to;

    for (unsigned faults = 0; !hart_try(m, va, kind, &to); faults++) {
        CHECK(faults < FAULTS_MAX, "step %lu: '%c' at %lx faults again and again", m->steps, kind,
              va);
        if (!fault_handle(m, va, kind))
            return;
    }
    model_judge(m, i, kind, to);
}

static void access_make(struct shadow_model *m)
{
    access_at(m, page_choose(m));
}

static u64 random_pte(struct shadow_model *m)
{
    u64 flags = choose(m, 256) | PTE_V | PTE_R, ram = VM_RAM_BASE >> PAGE_SHIFT;
    u64 pages = m->r->vm.ram_size >> PAGE_SHIFT, table = (ram + choose(m, TABLES)) << 10;

    switch (choose(m, 16)) {
    case 0: return 0;
    case 1: return choose(m, 1ul << 32) << 32 | choose(m, 1ul << 32);
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7: return table | PTE_V;
    case 8:
    case 9: return align_down(ram + choose(m, pages), 512) << 10 | flags;
    case 10:
        return (chance(m, 2) ? ram : 0) << 10 |
               flags; // 1 GiB and more; mostly beyond the end of RAM
    case 11: return (align_down(ram + choose(m, pages), 16) + 8) << 10 | flags | PTE_N;
    case 12: return (ram + pages + choose(m, 4) - 2) << 10 | flags;
    default: return (ram + choose(m, pages)) << 10 | flags;
    }
}

static void edit_make(struct shadow_model *m)
{
    static const u16 used[] = { 0, 0, 0, 1, 3, 15, 16, 511, 511 };
    u64              table  = VM_RAM_BASE + choose(m, TABLES) * PAGE_SIZE;
    u64              at     = table + 8ul * used[choose(m, ARRAY_LEN(used))];
    u64              pte    = random_pte(m);
    unsigned         i      = (unsigned)choose(m, m->now->n_vas);

    struct reference_leaf leaf;

    if (chance(m, 2) && m->now->satp >> 60 &&
        model_guest_leaf(m, m->now, model_va(m, m->now, i), &leaf)) {
        at = leaf.pte_at; // of a page that is likely known to the hart
        access_at(m, i);
    }
    if (chance(m, 4)) // only flags change
        pte = rig_word(m->r, at) ^ BIT(choose(m, 8));
    rig_word_set(m->r, at, pte);
    model_past_update(m);
}

static void fence_make(struct shadow_model *m)
{
    const struct space *of     = chance(m, 2) ? m->now : &m->spaces[choose(m, m->o.n_spaces)];
    bool                has_va = !chance(m, 3), has_asid = chance(m, 2);
    unsigned            page = page_choose(m);
    u64                 va = model_va(m, m->now, page), asid = field_get(of->satp, SATP_ASID);

    shadow_fence(m->v, has_va, gva(va), has_asid, asid);
    for (unsigned n = 0; n < m->o.n_spaces; n++) {
        struct space *s = &m->spaces[n];

        if (has_asid && field_get(s->satp, SATP_ASID) != asid)
            continue;
        for (unsigned i = 0; i < s->n_vas; i++)
            if (has_va)
                model_past_fence(m, s, i, va);
            else
                model_past_forget(m, s, i);
    }
    settle(m);
    access_at(m, page);
}

static void switch_make(struct shadow_model *m)
{
    m->now         = &m->spaces[choose(m, m->o.n_spaces)];
    m->v->csr.satp = m->now->satp;
    pend(m->v, PEND_FOLLOW);
    settle(m);
}

static void mode_make(struct shadow_model *m)
{
    u64 n = choose(m, 8);

    m->v->mode        = n & 1 ? MODE_U : MODE_S;
    m->v->csr.mstatus = (n & 2 ? STATUS_SUM : 0) | (n & 4 ? STATUS_MXR : 0);
    pend(m->v, PEND_FOLLOW);
    settle(m);
}

// All that the hart could reach now, by walk and by TLB, is judged.
static void look_at_all(struct shadow_model *m)
{
    for (unsigned i = 0; i < m->now->n_vas; i++)
        for (unsigned k = 0; k < 3; k++) {
            struct reference_leaf leaf;
            u64                   va = model_va(m, m->now, i), to;

            if (hart_walk(m, va, KINDS[k], &leaf))
                model_judge(m, i, KINDS[k], leaf.pa);
            if (tlb_find(m, va) && hart_try(m, va, KINDS[k], &to))
                model_judge(m, i, KINDS[k], to);
        }
}

void shadow_model_step(struct shadow_model *m)
{
    u64 n = choose(m, 32);

    at_work = m;
    m->steps++;
    if (n < 4)
        edit_make(m);
    else if (n < 6)
        fence_make(m);
    else if (n < 8)
        switch_make(m);
    else if (n < 10)
        mode_make(m);
    else if (n == 10)
        look_at_all(m);
    else
        access_make(m);
}

static void space_make(struct shadow_model *m, struct space *s, unsigned n)
{
    u64 mode = chance(m, 12) ? SATP_BARE : SATP_SV39 + choose(m, 3);
    u64 root = (VM_RAM_BASE >> PAGE_SHIFT) + n % TABLES,
        asid = (n / TABLES + choose(m, 3)) & (BIT(m->o.asid_bits) - 1);

    s->satp  = field_set(field_set(mode ? root : 0, SATP_MODE, mode), SATP_ASID, mode ? asid : 0);
    s->n_vas = mode ? m->n_vas[model_mode_index(s->satp)] : 16;
}

struct shadow_model *shadow_model_make(const struct shadow_model_options *o)
{
    struct shadow_model *m = calloc(1, sizeof *m);

    ASSERT(m);
    m->o                = *o;
    hart_caps.asid_bits = o->asid_bits;
    fake_hart.on_fence  = on_fence;
    at_work             = m;
    m->r                = rig_make(&o->rig);
    m->v                = m->r->v;
    m->spaces           = calloc(o->n_spaces, sizeof *m->spaces);
    ASSERT(m->spaces && o->n_spaces <= SPACES_MAX);
    for (unsigned mode = 0; mode < 3; mode++)
        model_vas_make(m, mode);
    for (unsigned n = 0; n < o->n_spaces; n++)
        space_make(m, &m->spaces[n], n);
    for (unsigned n = 0; n < 100; n++)
        rig_word_set(
            m->r, VM_RAM_BASE + choose(m, TABLES) * PAGE_SIZE + 8ul * model_index_low[choose(m, 3)],
            random_pte(m));
    model_past_update(m);
    switch_make(m);
    return m;
}

void shadow_model_free(struct shadow_model *m)
{
    at_work = m;
    rig_free(m->r);
    fake_hart.on_fence = NULL;
    at_work            = NULL;
    free(m->spaces);
    free(m);
}

// SPDX-License-Identifier: MIT
// The judge: which accesses the guest's tables, present and past, allow.
//
// In:     the guest's memory; fences; accesses that the hart made.
// Out:    a panic, if an access was wrong.
// Always: a translation counts from when it was valid first until a fence that covers it.
// Locks:  none.
#include "rig/shadow_inside.h"

unsigned model_mode_index(u64 satp)
{
    return (unsigned)(field_get(satp, SATP_MODE) - SATP_SV39);
}

// The addresses used: few indices per level, with both ends of the address space.

const u16        model_index_low[4] = { 0, 3, 15, 16 };
static const u16 index_middle[]     = { 0, 1, 511 };
static const u16 index_high[]       = { 0, 511 };

static unsigned indices(unsigned level, unsigned levels, const u16 **list)
{
    *list = level == 0                                  ? model_index_low
            : level == 1 || (level == 2 && levels == 3) ? index_middle
                                                        : index_high;
    return level == 0 ? 4 : *list == index_middle ? 3 : 2;
}

void model_vas_make(struct shadow_model *m, unsigned mode)
{
    unsigned levels = 3 + mode, n = 1, total = 1;

    m->vas[mode][0] = 0;
    for (unsigned level = 0; level < levels; level++) {
        const u16 *list;
        unsigned   k = indices(level, levels, &list);

        for (unsigned i = k; i-- > 0;)
            for (unsigned j = 0; j < n; j++)
                m->vas[mode][i * n + j] = m->vas[mode][j] | (u64)list[i] << (12 + 9 * level);
        total *= k;
        n = total;
        ASSERT(n <= VAS_MAX);
    }
    for (unsigned i = 0; i < n; i++)
        m->vas[mode][i] = (u64)sign_extend(m->vas[mode][i], 12 + 9 * levels);
    m->n_vas[mode] = n;
}

u64 model_va(const struct shadow_model *m, const struct space *s, unsigned i)
{
    return field_get(s->satp, SATP_MODE) == SATP_BARE ? VM_RAM_BASE + 5 * i * PAGE_SIZE
                                                      : m->vas[model_mode_index(s->satp)][i];
}

// The judge

static struct reference_rules rules_of(const struct shadow_model *m)
{
    const struct vcpu *v = m->v;

    return (struct reference_rules){
        .user    = v->mode == MODE_U,
        .sum     = v->csr.mstatus & STATUS_SUM,
        .mxr     = v->csr.mstatus & STATUS_MXR,
        .svpbmt  = m->r->vm.walk_base.svpbmt,
        .svnapot = m->r->vm.walk_base.svnapot,
    };
}

static bool guest_read(const void *vm, u64 at, u64 *pte)
{
    return gmem_read(vm, gpa(at), pte, sizeof *pte);
}

enum reference_result model_guest_walk(const struct shadow_model *m, const struct space *s, u64 va,
                                       char kind, struct reference_leaf *leaf)
{
    struct reference_rules r = rules_of(m);

    if (field_get(s->satp, SATP_MODE) == SATP_BARE) {
        *leaf = (struct reference_leaf){ .pa = va, .pte = BARE, .level = 3 };
        return REFERENCE_OK;
    }
    return reference_walk(s->satp, va, kind, &r, guest_read, &m->r->vm, leaf);
}

// The leaf for va whatever its rights are; false: there is none.
bool model_guest_leaf(const struct shadow_model *m, const struct space *s, u64 va,
                      struct reference_leaf *leaf)
{
    return model_guest_walk(m, s, va, 0, leaf) == REFERENCE_OK;
}

static bool same(const struct reference_leaf *a, const struct reference_leaf *b)
{
    return a->pa == b->pa && a->pte == b->pte && a->pte_at == b->pte_at && a->level == b->level;
}

static void past_add(struct past *p, const struct reference_leaf *leaf)
{
    for (unsigned i = 0; i < p->n; i++)
        if (same(&p->t[i], leaf))
            return;
    if (p->n == PAST_MAX)
        p->anything = true;
    else
        p->t[p->n++] = *leaf;
}

static void past_update(struct shadow_model *m, struct space *s, unsigned i)
{
    struct reference_leaf leaf;

    if (model_guest_leaf(m, s, model_va(m, s, i), &leaf))
        past_add(&s->past[i], &leaf);
}

void model_past_update(struct shadow_model *m)
{
    for (unsigned n = 0; n < m->o.n_spaces; n++)
        for (unsigned i = 0; i < m->spaces[n].n_vas; i++)
            past_update(m, &m->spaces[n], i);
}

void model_past_forget(struct shadow_model *m, struct space *s, unsigned i)
{
    s->past[i].n        = 0;
    s->past[i].anything = false;
    past_update(m, s, i);
}

// A fence of va: this page's past ends, and that of all pages under a leaf that covers va.
void model_past_fence(struct shadow_model *m, struct space *s, unsigned i, u64 va)
{
    struct past *p    = &s->past[i];
    unsigned     kept = 0;

    if (model_va(m, s, i) >> PAGE_SHIFT == va >> PAGE_SHIFT) {
        model_past_forget(m, s, i);
        return;
    }
    for (unsigned n = 0; n < p->n; n++) {
        u64 size = level_size((unsigned)p->t[n].level);

        if (p->t[n].level == 0 || (model_va(m, s, i) ^ va) >= size)
            p->t[kept++] = p->t[n];
    }
    p->n = kept;
    past_update(m, s, i);
}

static bool leaf_grants(const struct shadow_model *m, u64 pte, char kind)
{
    struct reference_rules r    = rules_of(m);
    bool                   user = pte & PTE_U;

    if (pte == BARE)
        return true;
    if (r.user ? !user : user && (kind == 'x' || !r.sum))
        return false;
    if (!(pte & PTE_A) || (kind == 'w' && !(pte & PTE_D)))
        return false;
    return kind == 'r' ? pte & PTE_R || (r.mxr && pte & PTE_X)
                       : pte & (kind == 'w' ? PTE_W : PTE_X);
}

// The hart has made an access to host address `to`: was it right?
void model_judge(struct shadow_model *m, unsigned i, char kind, u64 to)
{
    const struct past *p  = &m->now->past[i];
    u64                at = to - m->r->vm.ram.a + VM_RAM_BASE;

    CHECK(gmem_contains(&m->r->vm, gpa(at), 1), "step %lu: the hart reached %lx, outside RAM",
          m->steps, to);
    if (p->anything)
        return;
    for (unsigned n = 0; n < p->n; n++)
        if (at >> PAGE_SHIFT == p->t[n].pa >> PAGE_SHIFT && leaf_grants(m, p->t[n].pte, kind))
            return;
    panic("step %lu: '%c' at %lx (satp %lx, mode %d, status %lx) reached %lx; %u leaves, the last "
          "%lx",
          m->steps, kind, model_va(m, m->now, i), m->now->satp, (int)m->v->mode, m->v->csr.mstatus,
          at, p->n, p->n ? p->t[p->n - 1].pte : 0);
}

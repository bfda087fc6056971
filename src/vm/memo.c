// SPDX-License-Identifier: MIT
// A look-aside for accesses to devices.
//
// In:     an access that the bus has admitted; fences.
// Out:    the same access's device, offset and instruction, without two walks and a decoding.
// Always: it is a TLB, and the guest may expect no more of it than of one: an entry holds for one
//         pc, one address, one satp and one mode, and is gone after a fence of either page (Priv.
//         1.12, 4.2.1).  The instruction's bytes are read again each time, since nobody tells us of
//         a fence.i.  Dropping an entry at any time is safe.
// Locks:  none.  It belongs to one vCPU and so to one hart.
#include "vm/memo.h"

#include "vm/gmem.h"

static u64 context_of(const struct vcpu *v)
{
    return v->mode | (v->csr.mstatus & (STATUS_SUM | STATUS_MXR));
}

// A kernel touches the same registers on behalf of one process after the other.
static unsigned place_of(const struct vcpu *v, const struct trap *t)
{
    u64 n = v->f.pc + 8 * t->tval + v->csr.satp;

    return (unsigned)(n * 0x9e3779b97f4a7c15 >>
                      58); // Fibonacci hashing: the upper bits are well mixed
}

static u64 near_of(u64 va, u64 page)
{
    return ~page >= level_size(1) ? ~0ul : BIT(va / level_size(1) % 64);
}

static u32 raw_at(const u16 *parcels, unsigned len)
{
    u32 low = __atomic_load_n(&parcels[0], __ATOMIC_RELAXED);

    return len == 2 ? low : low | (u32)__atomic_load_n(&parcels[1], __ATOMIC_RELAXED) << 16;
}

// In one comparison, for it nearly always is.
static bool is_of(const struct memo *m, const struct vcpu *v, const struct trap *t)
{
    return !((m->pc ^ v->f.pc) | (m->tval ^ t->tval) | (m->cause ^ t->cause) |
             (m->satp ^ v->csr.satp) | (m->context ^ context_of(v)));
}

// Each access has two places, which are neighbours.
const struct memo *memo_find(const struct vcpu *v, const struct trap *t)
{
    unsigned           n = place_of(v, t);
    const struct memo *m = &v->memos.memo[n];

    if (!(v->memos.used & BIT(n)) || !is_of(m, v, t)) {
        n ^= 1;
        m = &v->memos.memo[n];
        if (!(v->memos.used & BIT(n)) || !is_of(m, v, t))
            return NULL;
    }
    return raw_at(m->parcels, m->insn.len) == m->insn.raw ? m : NULL;
}

// The first of the two; what another access has there moves to the second.
static struct memo *place_make(struct vcpu *v, const struct trap *t)
{
    unsigned n = place_of(v, t);

    if (v->memos.used & BIT(n) && !is_of(&v->memos.memo[n], v, t)) {
        v->memos.memo[n ^ 1] = v->memos.memo[n];
        v->memos.used |= BIT(n ^ 1);
    }
    v->memos.used |= BIT(n);
    return &v->memos.memo[n];
}

// The page of the leaf that translates va, as a mask; false: it cannot be had.
static bool leaf_of(const struct vcpu *v, u64 va, enum access_kind kind, struct leaf *leaf,
                    u64 *page)
{
    if (shadow_translate(v, gva(va), kind, leaf) != WALK_OK)
        return false;
    *page = ~(leaf->pte & PTE_N ? 64 * KIB - 1 : level_size(leaf->level) - 1);
    return true;
}

void memo_keep(struct vcpu *v, const struct trap *t, const struct insn *i, struct vdev *d, u64 off)
{
    enum access_kind kind = t->cause == EXC_LOAD_PAGE_FAULT ? ACCESS_READ : ACCESS_WRITE;
    struct leaf      code, data;
    u64              pc_page, tval_page;

    if (v->f.pc % PAGE_SIZE + i->len > PAGE_SIZE || !leaf_of(v, t->tval, kind, &data, &tval_page) ||
        !leaf_of(v, v->f.pc, ACCESS_FETCH, &code, &pc_page) ||
        !gmem_contains(v->vm, gpa(code.pa), i->len))
        return;
    *place_make(v, t) = (struct memo){
        .pc        = v->f.pc,
        .tval      = t->tval,
        .cause     = t->cause,
        .satp      = v->csr.satp,
        .context   = context_of(v),
        .parcels   = (const u16 *)gmem_to_host(v->vm, gpa(code.pa)).a,
        .insn      = *i,
        .device    = d,
        .off       = off,
        .pc_page   = pc_page,
        .tval_page = tval_page,
    };
    v->memos.near |= near_of(t->tval, tval_page) | near_of(v->f.pc, pc_page);
}

void memo_forget_all(struct vcpu *v)
{
    v->memos.used = 0;
    v->memos.near = 0;
}

void memo_forget_page(struct vcpu *v, gva_t va)
{
    if (!(v->memos.near & BIT(va.a / level_size(1) % 64))) // most fences are of other places
        return;
    for (u64 left = v->memos.used; left; left &= left - 1) {
        u32                n = (u32)__builtin_ctzl(left);
        const struct memo *m = &v->memos.memo[n];

        if (!((m->pc ^ va.a) & m->pc_page) || !((m->tval ^ va.a) & m->tval_page))
            v->memos.used &= ~BIT(n);
    }
}

// SPDX-License-Identifier: MIT
// Loads and stores that do not go to RAM: fetched, decoded, and given to the bus.
//
// In:     a page fault at an address that is translated, but not to RAM.
// Out:    the load's or the store's effect; or an access fault for the guest.
// Always: the instruction is read once, and must still be the one that faulted: another hart may
//         have replaced it, and then the guest is simply resumed.  What was found out once is
//         remembered (memo.c): a driver touches the same registers again and again.  LR, SC, AMOs
//         and floating-point accesses to devices get an access fault (docs/differences.md).
// Locks:  none; the device takes what it needs.
#include "isa/insn.h"
#include "lib/bits.h"
#include "vm/fetch.h"
#include "vm/gmem.h"

#include <string.h>

static bool fetch_part(const struct vcpu *v, gva_t va, enum access_kind kind, void *to, size_t len)
{
    struct leaf leaf;

    return shadow_translate(v, va, kind, &leaf) == WALK_OK &&
           gmem_read(v->vm, gpa(leaf.pa), to, len);
}

bool fetch_bytes(const struct vcpu *v, gva_t va, enum access_kind kind, void *to, size_t len)
{
    size_t here = min_u64(len, PAGE_SIZE - va.a % PAGE_SIZE);

    return fetch_part(v, va, kind, to, here) &&
           (here == len || fetch_part(v, gva(va.a + here), kind, (char *)to + here, len - here));
}

static bool fetch_parcels(const struct vcpu *v, u32 *raw)
{
    u16 low, high = 0;

    if (!fetch_bytes(v, gva(v->f.pc), ACCESS_FETCH, &low, sizeof low))
        return false;
    if (insn_len(low) == 4 && !fetch_bytes(v, gva(v->f.pc + 2), ACCESS_FETCH, &high, sizeof high))
        return false;
    *raw = (u32)high << 16 | low;
    return true;
}

bool fetch_insn(struct vcpu *v, u32 *raw)
{
    if (fetch_parcels(v, raw))
        return true;
    shadow_fence(v, true, gva(v->f.pc), false, 0);
    shadow_fence(v, true, gva(v->f.pc + 2), false, 0);
    return false;
}

static enum outcome refuse(struct vcpu *v, const struct trap *t, enum access_kind kind)
{
    return raise(v, kind == ACCESS_READ ? EXC_LOAD_ACCESS : EXC_STORE_ACCESS, t->tval);
}

static u64 extend(const struct insn *i, u64 value)
{
    return i->sign ? (u64)sign_extend(value, 8 * i->width) : value;
}

// Its device waits for something, such as a disk: others have the hart meanwhile.
static enum outcome try_again(struct vcpu *v)
{
    v->gave_up = true;
    pend(v, PEND_RESCHED);
    return RESUME;
}

static enum outcome device_access(struct vcpu *v, const struct trap *t, enum access_kind kind,
                                  const struct insn *i, struct vdev *d, u64 off)
{
    bool write = i->op == OP_STORE;
    u64  value = reg_get(v, i->rs2);

    v->spent_on = SPENT_DEVICES;
    switch (vdev_access(d, off, i->width, write, &value)) {
    case BUS_FAULT: return refuse(v, t, kind);
    case BUS_AGAIN: return try_again(v);
    case BUS_DONE:  break;
    }
    if (!write)
        reg_set(v, i->rd, extend(i, value));
    v->step = i->len;
    return NEXT;
}

// Does the access begin at tval?  Otherwise it reaches over from the page before.
static bool begins_there(const struct vcpu *v, const struct insn *i, u64 tval)
{
    return reg_get(v, i->rs1) + (u64)(s64)i->imm == tval;
}

FLATTEN bool mmio_recall(struct vcpu *v, const struct trap *t, enum outcome *o)
{
    const struct memo *m;

    if (t->cause != EXC_LOAD_PAGE_FAULT && t->cause != EXC_STORE_PAGE_FAULT)
        return false;
    m = memo_find(v, t);
    if (!m || !begins_there(v, &m->insn, t->tval))
        return false;
    v->stats.traps[t->cause]++;
    v->stats.mmio++;
    v->stats.recalled++;
    *o = device_access(v, t, m->insn.op == OP_STORE ? ACCESS_WRITE : ACCESS_READ, &m->insn,
                       m->device, m->off);
    return true;
}

enum outcome mmio_emulate(struct vcpu *v, const struct trap *t, enum access_kind kind, gpa_t at)
{
    struct vdev *d;
    u64          off;
    u32          raw;

    if (!fetch_insn(v, &raw))
        return RESUME;

    struct insn i = insn_decode(raw);

    if (i.op != OP_LOAD && i.op != OP_STORE)
        return refuse(v, t, kind);
    if ((i.op == OP_STORE) != (kind == ACCESS_WRITE))
        return RESUME;
    if (!begins_there(v, &i, t->tval))
        return refuse(v, t, kind);
    v->stats.mmio++;
    d = bus_find(&v->vm->bus, v, at, i.width, &off);
    if (!d)
        return refuse(v, t, kind);
    memo_keep(v, t, &i, d, off);
    return device_access(v, t, kind, &i, d, off);
}

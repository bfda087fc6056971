// SPDX-License-Identifier: MIT
// The commands `mem` and `walk`: a guest's memory and its translations.
//
// In:     a VM; an address of any value.
// Out:    bytes of RAM; the entries that a walk meets, the guest's and the shadow's.
// Always: nothing is written, no device is touched, and no A or D is set.  A line is of one moment.
// Locks:  vm_hold().
#include "mon/commands.h"
#include "vm/gmem.h"

#include <string.h>

#define MEM_DEFAULT 128
#define MEM_MAX     4096
#define ROW         16
#define NO_MEMORY   "%s has no memory while it is off"

// As vS sees it with SUM and MXR: all that is mapped can be read.
static struct walk_rules rules_of(const struct vm *vm)
{
    struct walk_rules r = vm->walk_base;

    r.sum = r.mxr = true;
    return r;
}

// Where an address leads, if it leads to RAM.
static bool locate(const struct vcpu *v, const struct value *at, u64 offset, gpa_t *to)
{
    struct walk_rules rules = rules_of(v->vm);
    struct leaf       leaf;
    u64               va = at->number + offset;

    *to = gpa(va);
    if (at->is_physical || !walk_levels(v->csr.satp))
        return gmem_contains(v->vm, *to, 1);
    if (walk(v->csr.satp, gva(va), ACCESS_READ, &rules, gmem_pte, v->vm, &leaf) != WALK_OK)
        return false;
    *to = gpa(leaf.pa);
    return gmem_contains(v->vm, *to, 1);
}

static void row_tell(struct out *o, const struct vcpu *v, const struct value *at, u64 offset, u64 n)
{
    char text[ROW + 1] = "";

    out_printf(o, "%016lx ", (unsigned long)(at->number + offset));
    for (u64 i = 0; i < ROW; i++) {
        gpa_t to;
        u8    byte;
        bool  is = i < n && locate(v, at, offset + i, &to) && gmem_read(v->vm, to, &byte, 1);

        text[i] = is && byte >= 0x20 && byte < 0x7f ? (char)byte : i < n ? '.' : ' ';
        if (is)
            out_printf(o, i == ROW / 2 ? "  %02x" : " %02x", byte);
        else
            out_printf(o, i == ROW / 2 ? "  %s" : " %s", i < n ? "--" : "  ");
    }
    out_printf(o, "  %s\n", text);
}

static enum told cmd_mem(struct call *c)
{
    struct vm *vm = c->args[0].vm;
    u64        n  = c->args[2].given ? c->args[2].number : MEM_DEFAULT;

    if (!n || n > MEM_MAX)
        return call_fail(c, "it shows 1 to %u bytes at a time", MEM_MAX);
    if (!c->part && !vm->ram.a)
        return call_fail(c, NO_MEMORY, vm->name);
    vm_hold(vm);
    row_tell(c->r.o, vm->vcpus[0], &c->args[1], c->at, min_u64(ROW, n - c->at));
    vm_release(vm);
    c->at += ROW;
    return told_part_if(c->at < n);
}

// An entry in letters: what it grants, as the specification names the bits.
static const char *rights_of(u64 pte)
{
    static char       text[9];
    static const char letters[] = "vrwxugad";

    for (unsigned i = 0; i < 8; i++)
        text[i] = pte & BIT(i) ? letters[i] : '-';
    return text;
}

static void entry_tell(struct out *o, bool is, u64 pte)
{
    if (is)
        out_printf(o, "  %016lx %s", (unsigned long)pte, rights_of(pte));
    else
        out_printf(o, "  %-25s", "-");
}

// The guest's entries on the way to va, from the root down; returns how many there are.
static unsigned guest_look(const struct vcpu *v, gva_t va, u64 entries[SHADOW_DEPTH_MAX])
{
    struct walk_rules rules = rules_of(v->vm);
    unsigned          level = walk_levels(v->csr.satp), n = 0;
    u64               table = field_get(v->csr.satp, SATP_PPN) << PAGE_SHIFT;

    while (level-- > 0 && gmem_pte(v->vm, table + 8 * level_index(va, level), &entries[n])) {
        if (walk_step(entries[n++], level, &rules) != STEP_DOWN)
            break;
        table = field_get(entries[n - 1], PTE_PPN) << PAGE_SHIFT;
    }
    return n;
}

static void satp_tell(struct out *o, const struct vcpu *v)
{
    out_printf(o, "satp %016lx: %u levels%s\n", (unsigned long)v->csr.satp,
               walk_levels(v->csr.satp), walk_levels(v->csr.satp) ? "" : " (Bare)");
    out_printf(o, "level  %-25s  %-25s\n", "the guest's entry", "the shadow's entry");
}

// The n-th level from the root.  False: neither walk comes so far.
static bool level_tell(struct out *o, const struct vcpu *v, gva_t va, u64 n)
{
    u64      guest[SHADOW_DEPTH_MAX], shadow[SHADOW_DEPTH_MAX];
    unsigned levels = walk_levels(v->csr.satp), depth = levels ? levels : 3; // Bare: Sv39's
    unsigned n_guest = guest_look(v, va, guest), n_shadow = shadow_look(v, va, shadow);

    if (n >= max_u64(n_guest, n_shadow))
        return false;
    out_printf(o, "%5u", depth - 1 - (unsigned)n);
    entry_tell(o, n < n_guest, n < n_guest ? guest[n] : 0);
    entry_tell(o, n < n_shadow, n < n_shadow ? shadow[n] : 0);
    out_printf(o, "\n");
    return true;
}

static void leads_tell(struct out *o, const struct vcpu *v, const struct value *at)
{
    gpa_t to;

    if (locate(v, at, 0, &to))
        out_printf(o, "it leads to p:0x%lx\n", (unsigned long)to.a);
    else
        out_printf(o, "it leads to no RAM\n");
}

static enum told cmd_walk(struct call *c)
{
    struct vm          *vm   = c->args[0].vm;
    const struct vcpu  *v    = vm->vcpus[0];
    const struct value *at   = &c->args[1];
    bool                more = true;

    if (at->is_physical)
        return call_fail(c,
                         "a guest-physical address is not translated by the guest; `mem` reads it");
    if (!c->part && !vm->ram.a)
        return call_fail(c, NO_MEMORY, vm->name);
    vm_hold(vm);
    if (!c->part)
        satp_tell(c->r.o, v);
    else if (!(more = level_tell(c->r.o, v, gva(at->number), c->part - 1)))
        leads_tell(c->r.o, v, at);
    vm_release(vm);
    return told_part_if(more);
}

// clang-format off
static const struct command rows[] = {
    { "mem",  { { "vm", ARG_VM, false }, { "address", ARG_ADDRESS, false }, { "count", ARG_NUMBER, true } },
      "its memory; p:0x... is a guest-physical address", cmd_mem, false },
    { "walk", { { "vm", ARG_VM, false }, { "address", ARG_ADDRESS, false } },
      "how its tables, and the shadow's, translate an address", cmd_walk, false },
};
// clang-format on
const struct command_group mem_commands = { COMMAND_ROWS(rows) };

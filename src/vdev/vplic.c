// SPDX-License-Identifier: MIT
// The virtual interrupt controller (RISC-V Platform-Level Interrupt Controller 1.0.0).
//
// In:     lines that devices raise and lower; register accesses.
// Out:    the MEI and SEI lines of the vCPUs: two contexts each, M first.
// Always: a source pends from its line's rise until it is claimed, even if the line falls before; a
//         completion with the line still up pends again (1.0.0, "Interrupt Gateways").  So nothing
//         is lost.  What a context would claim is known from the last change on.  Every index made
//         from an address is checked against the tables' sizes.
// Locks:  vm->lock, held by the caller.
#include "vdev/board.h"
#include "vdev/devices.h"

#include <libfdt.h>
#include <string.h>

#define WORDS         (VPLIC_SOURCES / 32)
#define CONTEXTS_MAX  16
#define PRIORITY_MASK 7 // as the board: three bits

#define PENDING        0x1000
#define ENABLE         0x2000
#define ENABLE_STRIDE  0x80
#define CONTEXT        0x200000
#define CONTEXT_STRIDE 0x1000
#define THRESHOLD      0
#define CLAIM          4

struct vplic {
    struct vdev dev;          // must be first
    u32         level[WORDS]; // lines as devices hold them
    u32         pending[WORDS];
    u32         claimed[WORDS]; // claimed, not yet completed
    u8          priority[VPLIC_SOURCES];
    struct {
        u32 enable[WORDS];
        u32 threshold;
        u32 best; // what a claim would take, as of lines_update()
    } context[CONTEXTS_MAX];
};

static struct vplic *vplic_of(struct vdev *d)
{
    return CONTAINER_OF(d, struct vplic, dev);
}

static u32 n_contexts(const struct vplic *p)
{
    return 2 * p->dev.vm->n_vcpus;
}

// The source of highest priority that a context should see, the lowest number first; 0: none.
static u32 best_of(const struct vplic *p, u32 context)
{
    u32 best = 0, best_priority = 0;

    for (u32 w = 0; w < WORDS; w++) {
        u32 ready = p->pending[w] & ~p->claimed[w] & p->context[context].enable[w];

        for (; ready; ready &= ready - 1) {
            u32 source = 32 * w + lowest_bit(ready);

            if (p->priority[source] > best_priority) {
                best          = source;
                best_priority = p->priority[source];
            }
        }
    }
    return best;
}

static bool is_any_ready(const struct vplic *p)
{
    u32 ready = 0;

    for (u32 w = 0; w < WORDS; w++)
        ready |= p->pending[w] & ~p->claimed[w];
    return ready;
}

// After whatever changes which sources are ready, or how a context looks at them.
static void lines_update(struct vplic *p)
{
    bool any = is_any_ready(p);

    for (u32 c = 0; c < n_contexts(p); c++) {
        struct vcpu *v    = p->dev.vm->vcpus[c / 2];
        u64          line = c % 2 ? BIT(IRQ_SEI) : BIT(IRQ_MEI);
        u32          best = any ? best_of(p, c) : 0;
        bool         up   = p->priority[best] > p->context[c].threshold;

        p->context[c].best = best;
        if (up != !!(lines_of(v) & line))
            vcpu_line_set(v, line, up);
    }
}

static void vplic_irq_set(struct vm *vm, u32 source, bool up)
{
    struct vplic *p    = vplic_of(vm->irq_device);
    u32           word = source / 32, bit = 1u << (source % 32);

    if (source >= VPLIC_SOURCES || up == !!(p->level[word] & bit))
        return;
    p->level[word] ^= bit;
    if (!up || p->pending[word] & bit)
        return;
    p->pending[word] |= bit;
    if (!(p->claimed[word] & bit))
        lines_update(p);
}

// A claim takes the best source whatever the threshold ("Interrupt Claim Process").
static u32 claim(struct vplic *p, u32 context)
{
    u32 source = p->context[context].best, bit = 1u << (source % 32);

    if (!source)
        return 0;
    p->claimed[source / 32] |= bit;
    p->pending[source / 32] &= ~bit;
    lines_update(p);
    if (context % 2)
        vcpu_was_interrupted(p->dev.vm->vcpus[context / 2]);
    return source;
}

static void complete(struct vplic *p, u32 context, u64 source)
{
    u32 word = (u32)min_u64(source, VPLIC_SOURCES - 1) / 32, bit = 1u << (source % 32);

    if (source >= VPLIC_SOURCES || !(p->context[context].enable[word] & p->claimed[word] & bit))
        return;
    p->claimed[word] &= ~bit;
    p->pending[word] |= p->level[word] & bit;
    if (p->pending[word] & bit)
        lines_update(p);
}

// Of those bits that can be set.
static void word_access(struct vplic *p, u32 *word, u32 mask, struct mmio *m)
{
    if (!m->write) {
        m->value = *word;
        return;
    }
    *word = (u32)m->value & mask;
    lines_update(p);
}

static void priority_access(struct vplic *p, struct mmio *m)
{
    u64 source = m->off / 4;

    if (source >= VPLIC_SOURCES)
        return;
    if (!m->write)
        m->value = p->priority[source];
    else if (source) {
        p->priority[source] = m->value & PRIORITY_MASK;
        lines_update(p);
    }
}

static void pending_access(struct vplic *p, struct mmio *m)
{
    u64 word = (m->off - PENDING) / 4;

    if (!m->write && word < WORDS)
        m->value = p->pending[word];
}

static void enable_access(struct vplic *p, struct mmio *m)
{
    u64 context = (m->off - ENABLE) / ENABLE_STRIDE, word = m->off % ENABLE_STRIDE / 4;

    if (context >= n_contexts(p) || word >= WORDS)
        return;
    word_access(p, &p->context[context].enable[word], word ? ~0u : ~1u, m);
}

static void context_access(struct vplic *p, struct mmio *m)
{
    u64 context = (m->off - CONTEXT) / CONTEXT_STRIDE, reg = m->off % CONTEXT_STRIDE;

    if (context >= n_contexts(p))
        return;
    if (reg == THRESHOLD)
        word_access(p, &p->context[context].threshold, PRIORITY_MASK, m);
    else if (reg == CLAIM && m->write)
        complete(p, (u32)context, m->value);
    else if (reg == CLAIM)
        m->value = claim(p, (u32)context);
}

static bool vplic_access(struct vdev *d, struct mmio *m)
{
    struct vplic *p = vplic_of(d);

    if (m->off >= CONTEXT)
        context_access(p, m);
    else if (m->off >= ENABLE)
        enable_access(p, m);
    else if (m->off >= PENDING)
        pending_access(p, m);
    else
        priority_access(p, m);
    return true;
}

static void vplic_reset(struct vdev *d)
{
    struct vplic *p = vplic_of(d);

    memset((char *)p + sizeof p->dev, 0, sizeof *p - sizeof p->dev);
    d->vm->irq_set    = vplic_irq_set;
    d->vm->irq_device = d;
}

static void vplic_describe(const struct vdev *d, void *fdt)
{
    static const char compatible[] = "sifive,plic-1.0.0\0riscv,plic0";
    fdt32_t          *pair;

    board_node_begin(fdt, d->ops, "interrupt-controller", compatible, sizeof compatible);
    if (!fdt_property_placeholder(fdt, "interrupts-extended", (int)(16 * d->vm->n_vcpus),
                                  (void **)&pair))
        for (u32 hart = 0; hart < d->vm->n_vcpus; hart++) {
            *pair++ = cpu_to_fdt32(PHANDLE_INTC(hart));
            *pair++ = cpu_to_fdt32(IRQ_MEI);
            *pair++ = cpu_to_fdt32(PHANDLE_INTC(hart));
            *pair++ = cpu_to_fdt32(IRQ_SEI);
        }
    fdt_property_u32(fdt, "riscv,ndev", VPLIC_SOURCES - 1);
    fdt_property_u32(fdt, "#interrupt-cells", 1);
    fdt_property_u32(fdt, "#address-cells", 0);
    fdt_property(fdt, "interrupt-controller", NULL, 0);
    fdt_property_u32(fdt, "phandle", PHANDLE_PLIC);
    board_node_end(fdt);
}

static void vplic_show(const struct vdev *d, struct out *o)
{
    const struct vplic *p = vplic_of((struct vdev *)d);

    out_printf(o, "%s: lines %08x %08x %08x, claimed %08x %08x %08x", vplic_ops.name, p->level[0],
               p->level[1], p->level[2], p->claimed[0], p->claimed[1], p->claimed[2]);
}

const struct vdev_ops vplic_ops = {
    .name       = "plic",
    .state_size = sizeof(struct vplic),
    .sizes      = 4,
    .base       = VPLIC_BASE,
    .size       = 0x600000,
    .access     = vplic_access,
    .reset      = vplic_reset,
    .describe   = vplic_describe,
    .show       = vplic_show,
};

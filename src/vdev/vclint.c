// SPDX-License-Identifier: MIT
// The virtual CLINT: software interrupts and timers of M-mode (privileged architecture 3.2.1;
// SiFive U54 manual, chapter 9).
//
// In:     register accesses from vM.  To vS it is closed, as firmware closes it on a board.
// Out:    the MSI and MTI lines of the vCPUs.
// Always: time is the machine's; it cannot be set.  What can be is the vCPUs' (irq_lines and
//         m_deadline), so that nothing is left to reset.
// Locks:  vm->lock, held by the caller.
#include "dev/clock.h"
#include "vdev/board.h"
#include "vdev/devices.h"
#include "vm/sched.h"

#include <libfdt.h>

#define MSIP     0x0000
#define MTIMECMP 0x4000
#define MTIME    0xbff8

static struct vcpu *vcpu_at(struct vdev *d, u64 index)
{
    return index < d->vm->n_vcpus ? d->vm->vcpus[index] : NULL;
}

static bool msip_access(struct vdev *d, struct mmio *m)
{
    struct vcpu *v = vcpu_at(d, (m->off - MSIP) / 4);

    if (!v || m->size != 4)
        return m->size == 4;
    if (m->write)
        vcpu_line_set(v, BIT(IRQ_MSI), m->value & 1);
    else
        m->value = !!(lines_of(v) & BIT(IRQ_MSI));
    return true;
}

// The 64 bits at the aligned address around m, with m's part replaced.
static u64 half_merge(u64 whole, const struct mmio *m)
{
    if (m->size == 8)
        return m->value;
    return m->off & 4 ? field_set(whole, BITS(63, 32), m->value)
                      : field_set(whole, BITS(31, 0), m->value);
}

static u64 half_of(u64 whole, const struct mmio *m)
{
    return m->off & 4 ? whole >> 32 : whole;
}

static bool mtimecmp_access(struct vdev *d, struct mmio *m)
{
    struct vcpu *v = vcpu_at(d, (m->off - MTIMECMP) / 8);

    if (!v)
        return true;
    if (m->write) {
        v->m_deadline = half_merge(v->m_deadline, m);
        timer_check(v);
        sched_arm(v);
    } else
        m->value = half_of(v->m_deadline, m);
    return true;
}

static bool vclint_access(struct vdev *d, struct mmio *m)
{
    if (m->off < MTIMECMP)
        return msip_access(d, m);
    if (m->off < MTIME)
        return mtimecmp_access(d, m);
    if (!m->write && m->off < MTIME + 8)
        m->value = half_of(clock_now(), m);
    return true;
}

static void vclint_describe(const struct vdev *d, void *fdt)
{
    static const char compatible[] = "sifive,clint0\0riscv,clint0";
    fdt32_t          *pair;

    board_node_begin(fdt, d->ops, "clint", compatible, sizeof compatible);
    if (!fdt_property_placeholder(fdt, "interrupts-extended", (int)(16 * d->vm->n_vcpus),
                                  (void **)&pair))
        for (u32 hart = 0; hart < d->vm->n_vcpus; hart++) {
            *pair++ = cpu_to_fdt32(PHANDLE_INTC(hart));
            *pair++ = cpu_to_fdt32(IRQ_MSI);
            *pair++ = cpu_to_fdt32(PHANDLE_INTC(hart));
            *pair++ = cpu_to_fdt32(IRQ_MTI);
        }
    board_node_end(fdt);
}

static void vclint_show(const struct vdev *d, struct out *o)
{
    (void)d;
    out_printf(o, "%s", vclint_ops.name);
}

const struct vdev_ops vclint_ops = {
    .name       = "clint",
    .state_size = sizeof(struct vdev),
    .sizes      = 4 | 8,
    .m_only     = true,
    .base       = VCLINT_BASE,
    .size       = 0x10000,
    .access     = vclint_access,
    .describe   = vclint_describe,
    .show       = vclint_show,
};

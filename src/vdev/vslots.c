// SPDX-License-Identifier: MIT
// The board's eight virtio-mmio slots, while they are empty (Virtio 1.2, 4.2.2: a device id of 0
// says that nothing is there, and a driver must not go on).
//
// In:     register accesses of guests that look for devices at fixed addresses.
// Out:    the magic value and the id 0.
// Always: it has no state; writes do nothing.  Behind a slot's registers nobody is at home.
//         The device tree does not list empty slots.
// Locks:  none.
#include "vdev/board.h"
#include "vdev/devices.h"

#define SLOT_SIZE    0x1000
#define REGS_SIZE    0x200
#define SLOTS        8
#define MAGIC        0x00
#define VERSION      0x04
#define VENDOR       0x0c
#define MAGIC_VALUE  0x74726976 // "virt"
#define VENDOR_VALUE 0x6f6d7564 // "dumo"

static u32 reg_value(u64 reg)
{
    switch (reg) {
    case MAGIC:   return MAGIC_VALUE;
    case VERSION: return 2;
    case VENDOR:  return VENDOR_VALUE;
    default:      return 0;
    }
}

static bool vslots_access(struct vdev *d, struct mmio *m)
{
    u64 reg = m->off % SLOT_SIZE;

    (void)d;
    if (reg >= REGS_SIZE)
        return false;
    m->value = reg_value(reg);
    if (m->size == 8)
        m->value |= (u64)reg_value(reg + 4) << 32;
    return true;
}

static void vslots_describe(const struct vdev *d, void *fdt)
{
    (void)d, (void)fdt;
}

static void vslots_show(const struct vdev *d, struct out *o)
{
    (void)d;
    out_printf(o, "%s: empty", vslots_ops.name);
}

const struct vdev_ops vslots_ops = {
    .name       = "virtio-slots",
    .state_size = sizeof(struct vdev),
    .sizes      = 1 | 2 | 4 | 8,
    .base       = VSLOTS_BASE,
    .size       = SLOTS * SLOT_SIZE,
    .access     = vslots_access,
    .describe   = vslots_describe,
    .show       = vslots_show,
};

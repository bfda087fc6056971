// SPDX-License-Identifier: MIT
// The virtual machine's syscon test device: power-off and reboot (QEMU, hw/misc/sifive_test.c).
//
// In:     a write of 0x5555 (off), 0x7777 (reboot) or 0x3333 with a code in the upper half
//         (failure).
// Out:    the end of this VM, and of no other.
// Always: other values do nothing; it reads as 0.
// Locks:  none; it has no state.
#include "vdev/board.h"
#include "vdev/devices.h"

#include <libfdt.h>

#define FINISHER_FAIL  0x3333
#define FINISHER_PASS  0x5555
#define FINISHER_RESET 0x7777

static bool vfinisher_access(struct vdev *d, struct mmio *m)
{
    if (!m->write || m->off)
        return true;
    switch (m->value & 0xffff) {
    case FINISHER_PASS:  vm_stop(d->vm, VM_END_OFF, "its guest powered off"); break;
    case FINISHER_RESET: vm_stop(d->vm, VM_END_RESET, "its guest asked for a reset"); break;
    case FINISHER_FAIL:  vm_stop(d->vm, VM_END_FAIL, "its guest reported a failure"); break;
    default:             break;
    }
    return true;
}

static void syscon_user(void *fdt, const char *name, const char *compatible, u32 value)
{
    fdt_begin_node(fdt, name);
    fdt_property_string(fdt, "compatible", compatible);
    fdt_property_u32(fdt, "regmap", PHANDLE_FINISHER);
    fdt_property_u32(fdt, "offset", 0);
    fdt_property_u32(fdt, "value", value);
    fdt_end_node(fdt);
}

static void vfinisher_describe(const struct vdev *d, void *fdt)
{
    static const char compatible[] = "sifive,test1\0sifive,test0\0syscon";

    board_node_begin(fdt, d->ops, "test", compatible, sizeof compatible);
    fdt_property_u32(fdt, "phandle", PHANDLE_FINISHER);
    board_node_end(fdt);
    syscon_user(fdt, "poweroff", "syscon-poweroff", FINISHER_PASS);
    syscon_user(fdt, "reboot", "syscon-reboot", FINISHER_RESET);
}

static void vfinisher_show(const struct vdev *d, struct out *o)
{
    out_printf(o, "%s", vfinisher_ops.name);
    (void)d;
}

const struct vdev_ops vfinisher_ops = {
    .name       = "finisher",
    .state_size = sizeof(struct vdev),
    .sizes      = 2 | 4,
    .base       = VFINISHER_BASE,
    .size       = 0x1000,
    .access     = vfinisher_access,
    .describe   = vfinisher_describe,
    .show       = vfinisher_show,
};

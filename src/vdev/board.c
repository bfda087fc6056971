// SPDX-License-Identifier: MIT
// The rows of the virtual board, and what their device-tree nodes have in common.
//
// In:     nothing but constants.
// Out:    the list of devices; the beginnings of nodes.
// Always: a device is one file and one row here.
// Locks:  none.
#include "vdev/board.h"

#include "vdev/devices.h"

#include <libfdt.h>
#include <stdio.h>

const struct vdev_ops *const board_devices[] = {
    &vfinisher_ops, &vrtc_ops, &vclint_ops, &vplic_ops, &vuart_ops,
    &vblk_ops,      &vnet_ops, &vcons_ops,  &vrng_ops,
    &vslots_ops, // under the others: what no other device has
};
const size_t board_n_devices = ARRAY_LEN(board_devices);

void board_console_ready(struct vm *vm)
{
    for (unsigned i = 0; i < vm->bus.n; i++)
        if (vm->bus.devices[i]->ops->console_ready)
            vm->bus.devices[i]->ops->console_ready(vm->bus.devices[i]);
}

void board_node_begin(void *fdt, const struct vdev_ops *ops, const char *name,
                      const char *compatible, size_t compatible_size)
{
    fdt32_t reg[4] = { cpu_to_fdt32((u32)(ops->base >> 32)), cpu_to_fdt32((u32)ops->base),
                       cpu_to_fdt32((u32)(ops->size >> 32)), cpu_to_fdt32((u32)ops->size) };
    char    node[40];

    snprintf(node, sizeof node, "%s@%lx", name, (unsigned long)ops->base);
    fdt_begin_node(fdt, node);
    fdt_property(fdt, "compatible", compatible, (int)compatible_size);
    fdt_property(fdt, "reg", reg, sizeof reg);
    if (!ops->irq)
        return;
    fdt_property_u32(fdt, "interrupts", ops->irq);
    fdt_property_u32(fdt, "interrupt-parent", PHANDLE_PLIC);
}

void board_node_end(void *fdt)
{
    fdt_end_node(fdt);
}

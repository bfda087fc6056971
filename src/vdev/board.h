// SPDX-License-Identifier: MIT
// The virtual board: QEMU's `virt`, its addresses and interrupt numbers (QEMU, hw/riscv/virt.c and
// docs/system/riscv/virt.rst), and how a device puts its node into the guest's device tree.
#pragma once

#include "vm/vm.h"

#define VFINISHER_BASE 0x00100000
#define VRTC_BASE      0x00101000
#define VCLINT_BASE    0x02000000
#define VPLIC_BASE     0x0c000000
#define VUART_BASE     0x10000000
#define VSLOTS_BASE    0x10001000

#define VUART_IRQ     10
#define VRTC_IRQ      11
#define VPLIC_SOURCES 96 // 0 to 95; 0 is none

// Handles by which nodes name each other.
#define PHANDLE_INTC(hart) (0x10 + (hart))
#define PHANDLE_PLIC       0x100
#define PHANDLE_FINISHER   0x101

// All devices of the board, in the order of their nodes.
extern const struct vdev_ops *const board_devices[];
extern const size_t                 board_n_devices;

// Tells the devices that the console has room again, or a byte to read: vm->console_ready.
void board_console_ready(struct vm *vm);

// Begins the node `name@base` with compatible, reg and, if the device has one, its interrupt.
// `compatible` may hold several strings; its size includes the last NUL.
void board_node_begin(void *fdt, const struct vdev_ops *ops, const char *name,
                      const char *compatible, size_t compatible_size);
void board_node_end(void *fdt);

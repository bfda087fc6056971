// SPDX-License-Identifier: MIT
// The device tree that a virtual machine finds.
#pragma once

#include "vm/vm.h"

// Writes it to `to`, of `room` bytes.  The devices write their own nodes.
void guest_dt_make(const struct vm *vm, const char *bootargs, gpa_t ramdisk, u64 ramdisk_size,
                   void *to, size_t room);

// Gives the tree a random seed that no other start of any VM has.
void guest_dt_seed(void *fdt);

// SPDX-License-Identifier: MIT
// The device tree that a virtual machine finds.
#pragma once

#include "vm/vm.h"

// Writes it to `to`, of `room` bytes.  The devices write their own nodes.
void guest_dt_make(const struct vm *vm, const char *bootargs, gpa_t ramdisk, u64 ramdisk_size,
                   void *to, size_t room);

// Gives a tree a random seed that no other start of any VM has: at this offset of it, which is
// looked for once, since that takes longer than a start's step may.
u64  guest_dt_seed_offset(const void *fdt);
void guest_dt_seed(void *at);

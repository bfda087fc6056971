// SPDX-License-Identifier: MIT
// From a configuration to a virtual machine.
#pragma once

#include "mon/bundle.h"
#include "vm/vm.h"

// Makes the VM, with its memory, vCPUs and devices, ready to start; boot hart.  NULL, or a line
// that says what is wrong: then nothing of it runs.
MUST_CHECK const char *vm_build(const struct vm_config *c, struct vm **made);

// Zeroes its RAM, loads its images anew, resets it, and lets its first vCPU run.
void vm_boot(struct vm *vm);

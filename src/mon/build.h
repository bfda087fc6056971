// SPDX-License-Identifier: MIT
// From a configuration to a virtual machine.
#pragma once

#include "mon/bundle.h"
#include "vm/vm.h"

// Makes the VM, with its memory, vCPUs and devices, ready to start; boot hart.  NULL, or a line
// that says what is wrong: then nothing of it runs.
MUST_CHECK const char *vm_build(const struct vm_config *c, struct vm **made);

// One step of: clear its RAM, load its images anew, reset it, let its first vCPU run.  A VM that is
// VM_RUNNING afterwards needs no more; a step is short, so that others do not wait for it.
void vm_boot_step(struct vm *vm);

// SPDX-License-Identifier: MIT
// How busy VMs are: their counters now, against those of a second ago or more.
#pragma once

#include "vm/vm.h"

// Now and then, on the boot hart.
void sample_tick(void);
// Of one hart; several vCPUs can have more than 1000.
u64 sample_cpu_permille(const struct vm *vm);
u64 sample_exits_per_s(const struct vm *vm);
// Since the VM was started.
u64 sample_exits(const struct vm *vm);

// SPDX-License-Identifier: MIT
// The five steps of a system call, followed and told.
#pragma once

#include "mon/report.h"
#include "vm/vm.h"

// Between vm_hold() and vm_release():
// Follows the next call, or the next violation, of its first vCPU.
void steps_begin(struct report *r, struct vm *vm, bool violation);
void steps_tell(struct report *r, struct vm *vm); // what has been followed
// Five times a second: tells once what was asked for and is there.
void steps_tick(void);

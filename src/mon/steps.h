// SPDX-License-Identifier: MIT
// The five steps of a system call, followed and told.
#pragma once

#include "mon/report.h"
#include "vm/vm.h"

// Between vm_hold() and vm_release():
// Follows the next call, or the next violation, of its first vCPU.
void steps_begin(struct report *r, struct vm *vm, enum follow_what what);
// What has been followed, in parts; true: there is another one.
bool steps_tell(struct report *r, struct vm *vm, unsigned part);
// Five times a second: tells once what was asked for and is there.
void steps_tick(void);

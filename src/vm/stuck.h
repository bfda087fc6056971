// SPDX-License-Identifier: MIT
// Guests that cannot go on: how it is noticed.
#pragma once

#include "vm/vm.h"

// The guest takes v->exc.  If it would take it for ever, its VM ends as crashed.
void stuck_take_exception(struct vcpu *v);

// Now and then, without a lock: the watchdog of a VM that has one.
void stuck_watch(struct vm *vm);

// SPDX-License-Identifier: MIT
// Who called whom in a guest, where it keeps frame pointers.
#pragma once

#include "vm/vcpu.h"

// The return addresses on the stack of a vCPU that stands still, innermost first; returns how many.
unsigned backtrace_take(const struct vcpu *v, u64 *to, unsigned room);

// SPDX-License-Identifier: MIT
// Reading the guest's current instruction.
#pragma once

#include "vm/vcpu.h"

// The instruction at pc, through the guest's own translation.  False: it cannot be fetched (any
// more): the guest is to be resumed, and will take the fault itself.
MUST_CHECK bool fetch_insn(const struct vcpu *v, u32 *raw);

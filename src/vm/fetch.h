// SPDX-License-Identifier: MIT
// Reading what the guest sees: its current instruction, and the little that SBI calls point at.
#pragma once

#include "vm/vcpu.h"

// Copies what the guest sees at a virtual address, page by page; at most a page's length.  False:
// some of it cannot be read.
MUST_CHECK bool fetch_bytes(const struct vcpu *v, gva_t va, enum access_kind kind, void *to,
                            size_t len);

// The instruction at pc, through the guest's own translation.  False: it cannot be fetched any
// more, and our own translation of its page is forgotten: resumed, the guest takes the fault
// itself.
MUST_CHECK bool fetch_insn(struct vcpu *v, u32 *raw);

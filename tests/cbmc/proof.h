// SPDX-License-Identifier: MIT
// Words for proofs.  Each function prove_*() is one: CBMC looks at all values of what it draws.
#pragma once

#include "lib/types.h"

// Any value of the type.
u64  any_u64(void);
u32  any_u32(void);
bool any_bool(void);

#define ASSUME(cond) __CPROVER_assume(cond)
#define CLAIM(cond)  __CPROVER_assert(cond, #cond)

void __CPROVER_assume(_Bool);
void __CPROVER_assert(_Bool, const char *);

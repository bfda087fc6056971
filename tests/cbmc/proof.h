// SPDX-License-Identifier: MIT
// Words for proofs.  Each function prove_*() is one: CBMC looks at all values of what it draws.
#pragma once

#include "lib/types.h"

// Any value of the type: CBMC knows them by the beginning of their names.
u64  nondet_u64(void);
u32  nondet_u32(void);
bool nondet_bool(void);

#define ASSUME(cond) __CPROVER_assume(cond)
#define CLAIM(cond)  __CPROVER_assert(cond, #cond)

void __CPROVER_assume(_Bool);
void __CPROVER_assert(_Bool, const char *);

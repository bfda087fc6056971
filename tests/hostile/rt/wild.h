// SPDX-License-Identifier: MIT
// A trap vector that cannot be lost: whatever trapped, wherever the stack pointer is, the attacker
// goes on with a fresh stack at wild_again().
#pragma once

#include "guest.h"

void wild_vector(void);                 // for stvec
void wild_again(void) __attribute__((noreturn)); // the attacker's

// To pc in the mode that sstatus says, with all registers from x[0..31]; comes back by the vector.
void wild_go(u64 pc, u64 sstatus, const u64 *x) __attribute__((noreturn));

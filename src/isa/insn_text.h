// SPDX-License-Identifier: MIT
// Instructions that trap, in the assembler's words, for people.
#pragma once

#include "isa/insn.h"

#define INSN_TEXT_SIZE 48

// The ABI's name of an integer register.
extern const char *const reg_names[32];

// What a CSR of that number is called; NULL: unknown.
typedef const char *csr_name_fn(unsigned number);

// Of an instruction that insn_decode() knows; of others their digits.  Returns `to`.
const char *insn_text(u32 raw, csr_name_fn *csr_name, char to[INSN_TEXT_SIZE]);

// SPDX-License-Identifier: MIT
// Records of traps, told to people and to programs.
#pragma once

#include "lib/json.h"
#include "vm/vm.h"

const char *mode_name(enum mode mode);                                // "vU" ...
const char *cause_name(const struct record *r);                       // as the specification has it
const char *device_name(const struct vm *vm, const struct record *r); // NULL: it has none
const char *insn_name(const struct record *r); // in assembly; valid until the next call

// What was done, in a few words: "sscratch 0 -> 8020a000".
void record_deed(struct out *o, const struct vm *vm, const struct record *r);
// All of it, on a line.
void record_line(struct out *o, const struct vm *vm, const struct record *r);
// The members of an object.
void record_json(struct json *j, const struct vm *vm, const struct record *r);

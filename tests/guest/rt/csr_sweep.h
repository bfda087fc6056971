// SPDX-License-Identifier: MIT
// Every CSR number through every CSR instruction, from one mode.
//
// Each number is read in the four forms that only read, and then written in six: read, written with
// ones, read again and restored within one run of straight code, so that no write has lasting
// effect.  Counters and clocks run on between two machines: of them only the trap is looked at.
#pragma once

#include "guest.h"

void csr_sweep(enum mode mode);

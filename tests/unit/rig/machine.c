// SPDX-License-Identifier: MIT
// The machine's memory, as it is, with a way to forget it between tests.
//
// In:     nothing.
// Out:    an empty struct machine, with nothing reserved.
// Always: the code under test is the source file itself.
// Locks:  none.
#include "dev/machine.c"
#include "rig/trees.h"

void machine_forget(void)
{
    memset(&machine, 0, sizeof machine);
    n_taken = 0;
}

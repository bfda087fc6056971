// SPDX-License-Identifier: MIT
// The generator of unpredictable bytes as it is, with a way to make it predictable.
//
// In:     nothing.
// Out:    a generator that has seen nothing.
// Always: the code under test is the source file itself.
// Locks:  none.
#include "lib/seed.c"
#include "rig/disk.h"

void seed_forget(void)
{
    memset(key, 0, sizeof key);
    counter = 0;
}

// SPDX-License-Identifier: MIT
// The machine's virtio devices as they are, with a way to forget them between tests.
//
// In:     nothing.
// Out:    no device was found.
// Always: the code under test is the source file itself.
// Locks:  none.
#include "dev/virtio.c"
#include "rig/disk.h"

#include <string.h>

void rng_forget(void);

void virtio_forget(void)
{
    memset(found, 0, sizeof found);
    n_found = 0;
    rng_forget();
}

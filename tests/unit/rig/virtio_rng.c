// SPDX-License-Identifier: MIT
// The machine's entropy device as it is, with a way to forget it between tests.
//
// In:     nothing.
// Out:    none was found.
// Always: the code under test is the source file itself.
// Locks:  none.
#include "dev/virtio_rng.c"

void rng_forget(void);

void rng_forget(void)
{
    entropy_source(NULL);
    memset(&rng, 0, sizeof rng);
}

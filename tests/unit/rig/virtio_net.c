// SPDX-License-Identifier: MIT
// The machine's network cards as they are, with a way to forget them between tests.
//
// In:     nothing.
// Out:    no card was found.
// Always: the code under test is the source file itself.
// Locks:  none.
#include "dev/virtio_net.c"
#include "rig/net.h"

void cards_forget(void)
{
    memset(cards, 0, sizeof cards);
    n_cards = 0;
}

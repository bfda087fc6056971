// SPDX-License-Identifier: MIT
// Power-off by the syscon device itself: the machine is off with the store.  The frame is closed
// before it; if the guest runs on, it hangs and the run fails.
// Shows: D8
#include "board.h"

GUEST(syscon_off)
{
    printf("off by the syscon\n");
    printf("=== %s end\n", guest_name);
    poke32(SYSCON, 0x5555);
    for (;;)
        ;
}

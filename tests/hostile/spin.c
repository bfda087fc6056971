// SPDX-License-Identifier: MIT
// Spins with interrupts off and gives nothing back: the witness gets its half of the hart.
// Shows: S4
#include "hostile.h"

GUEST(spin)
{
    say("round 1");
    for (;;)
        __asm__ volatile("");
}

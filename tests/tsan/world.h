// SPDX-License-Identifier: MIT
// Threads that are harts, with a clock and IPIs.
#pragma once

#include "dev/machine.h"
#include "rig/rig.h"
#include "vm/runq.h"

#include <stdatomic.h>

#define WORLD_HARTS 3
#define MS          ticks_of_ms(1)

// A hart's dice; each thread has its own.
extern _Thread_local u64 world_dice;
#define ONE_IN(n) (dice_below(&world_dice, n) == 0)

// The calling thread is the hart of that index from now on.
void world_hart(u32 index, void (*guest)(struct frame *f));
// Ends the program and says why.
NORETURN void world_fail(const char *format, ...) PRINTF(1, 2);

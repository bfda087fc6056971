// SPDX-License-Identifier: MIT
// Keys that are the monitor's, whoever has the keyboard: Ctrl-] and what follows it.
#pragma once

#include "lib/types.h"

#define KEY_PREFIX 0x1d // Ctrl-]

// A byte from the serial line, on the boot hart.
void keys_take(u8 byte);

// SPDX-License-Identifier: MIT
// The monitor's own lines.  Nothing that a guest does may print here: it increments a counter.
#pragma once

#include "lib/out.h"

// Where lines go; until it is set they are lost.  Set once, at boot, by the boot hart.
void log_to(struct out *o);

// One line, begun with "duomo: " and ended with a newline.  May be called from any hart.
void log_line(const char *format, ...) PRINTF(1, 2);

// SPDX-License-Identifier: MIT
// The monitor's own time.
#pragma once

// From now on the monitor looks at its affairs five times a second.  Boot hart.
void tick_start(void);

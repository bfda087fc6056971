// SPDX-License-Identifier: MIT
// The monitor's own time.
#pragma once

// From now on the monitor looks at its affairs five times a second.  Boot hart.
void tick_start(void);
// There is more to do than that: as soon as may be.  Boot hart.
void tick_soon(void);

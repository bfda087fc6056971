// SPDX-License-Identifier: MIT
// The time of the day.
#pragma once

#include "lib/types.h"

// Nanoseconds since 1970; where the machine has no clock, since it started.
u64 wallclock_ns(void);

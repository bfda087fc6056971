// SPDX-License-Identifier: MIT
// The end of the machine.
#pragma once

#include "lib/types.h"

// Powers off; code 0 is success, others reach whoever runs the machine.  From any hart.
NORETURN void power_off(u16 code);

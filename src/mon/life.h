// SPDX-License-Identifier: MIT
// How virtual machines begin and end.
#pragma once

#include "vm/vm.h"

// Puts a VM that was built under our care; it is OFF.
void life_adopt(struct vm *vm);
// Did any VM end badly?
bool life_failed(void);

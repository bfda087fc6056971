// SPDX-License-Identifier: MIT
// The operator's line: the monitor's own lines, and the virtual machines' consoles.
#pragma once

#include "vm/vm.h"

// Takes the serial line; the log goes there.  Boot, after the devices were probed.
void console_init(void);
// Connects a VM's console; the first one connected has the keyboard.
void console_attach(struct vm *vm);

// SPDX-License-Identifier: MIT
// The monitor's prompt.
#pragma once

#include "lib/types.h"

void prompt_open(void);
void prompt_ask_off(void); // "power the machine off?"
void prompt_top(void);     // the live list, until a key is pressed
// A key, while the monitor has the keyboard.
void prompt_key(u8 byte);
// Runs a command that nobody has typed, if the prompt is open: its answer stands above it.
void prompt_run(const char *command);
// Five times a second.
void prompt_tick(void);

// SPDX-License-Identifier: MIT
// A QEMU process with its machine's serial line on a socket.

#pragma once

#include <stdbool.h>

// Starts it. On false the mistake has been told. `*line` is our end of the serial line.
bool qemu_start(char *const argv[], int *line);

// Whether it has ended by itself.
bool qemu_has_ended(void);

// Ends it, if it has not ended: asks, waits for two seconds, then insists. May be called from a
// signal handler.
void qemu_end(void);

// Waits for its end. What a shell would call its exit code.
int qemu_exit_code(void);

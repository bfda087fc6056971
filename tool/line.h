// SPDX-License-Identifier: MIT
// The serial line of a machine, with the user's terminal and the control socket at its other end.

#pragma once

// Carries both ways until the machine ends, or the user ends it. `fd` is the line, `name` what the
// control socket is called.
void line_run(int fd, const char *name);

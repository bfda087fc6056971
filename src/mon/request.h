// SPDX-License-Identifier: MIT
// Requests of programs: a command in, a framed reply out.  docs/monitor.md describes the protocol.
#pragma once

#include "lib/types.h"

void request_begin(void);
// The next byte of the request.  False: that was its end, or it is none.
bool request_take(u8 byte);

// SPDX-License-Identifier: MIT
// A place that text goes to: the console, a buffer, a test.  Formatting is the C library's.
#pragma once

#include "lib/types.h"

struct out {
    void (*write)(struct out *o, const char *text, size_t len);
};

#define OUT_MAX 639

// Formats at most OUT_MAX bytes and writes them; what is longer is cut.
void out_printf(struct out *o, const char *format, ...) PRINTF(2, 3);

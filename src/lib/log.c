// SPDX-License-Identifier: MIT
// The log: lines of the monitor, each marked as its own.
//
// In:     formatted lines from boot, configuration and life-cycle code.
// Out:    text to the sink that boot chose.
// Always: one call is one line.
// Locks:  none; set before the other harts start, the sink serialises.
#include "lib/log.h"

#include <stdarg.h>
#include <stdio.h>

static struct out *sink;

void log_to(struct out *o)
{
    sink = o;
}

void log_line(const char *format, ...)
{
    char    line[OUT_MAX - 16];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (sink)
        out_printf(sink, "duomo: %s\n", line);
}

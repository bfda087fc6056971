// SPDX-License-Identifier: MIT
// Formatted text to an `out`.
//
// In:     a format and its values.
// Out:    one write() of the formatted bytes.
// Always: one buffer on the stack bounds the work and the length.
// Locks:  none; the sink's write() takes its own.
#include "lib/out.h"

#include <stdarg.h>
#include <stdio.h>

void out_printf(struct out *o, const char *format, ...)
{
    char    line[OUT_MAX + 1];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n > 0)
        o->write(o, line, (size_t)n < sizeof line ? (size_t)n : sizeof line - 1);
}

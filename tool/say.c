// SPDX-License-Identifier: MIT
// In:     a subject (a file, an option) and what is wrong with it; sizes; untrusted text.
// Out:    exactly one line on stderr per mistake; text on stdout.
// Always: nothing that came out of a file reaches the terminal unfiltered.

#include "say.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

bool wrong(const char *subject, const char *format, ...)
{
    va_list args;

    fprintf(stderr, "duomo: %s: ", subject);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    return false;
}

struct size_text size_text(uint64_t bytes)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
    struct size_text t;
    uint64_t unit = 1024;
    int i = 0;

    if (bytes < unit) {
        snprintf(t.s, sizeof t.s, "%" PRIu64 " bytes", bytes);
        return t;
    }
    while (i < 3 && bytes / 1024 >= unit) {
        unit *= 1024;
        i++;
    }
    snprintf(t.s, sizeof t.s, "%.*f %s", bytes % unit ? 1 : 0, (double)bytes / (double)unit,
             units[i]);
    return t;
}

void print_text(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        putchar(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
}

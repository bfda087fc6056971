// SPDX-License-Identifier: MIT
// The logbook.
//
// In:     lines of the log, as they are printed.
// Out:    the last of them.
// Always: a ring of fixed size.
// Locks:  the view's.
#include "mon/logbook.h"

#include "lib/bits.h"

#include <string.h>

static struct logbook_line lines[LOGBOOK_LINES];
static unsigned            n_lines; // free-running

void logbook_add(u64 now_ticks, const char *text, size_t len)
{
    struct logbook_line *l = &lines[n_lines++ % LOGBOOK_LINES];

    len -= len && text[len - 1] == '\n';
    len         = min_u64(len, LOGBOOK_LINE - 1);
    l->at_ticks = now_ticks;
    memcpy(l->text, text, len);
    l->text[len] = 0;
}

unsigned logbook_first(void)
{
    return n_lines - (unsigned)min_u64(n_lines, LOGBOOK_LINES);
}

unsigned logbook_end(void)
{
    return n_lines;
}

const struct logbook_line *logbook_line(unsigned number)
{
    return number >= logbook_first() && number < n_lines ? &lines[number % LOGBOOK_LINES] : NULL;
}

void logbook_clear(void)
{
    n_lines = 0;
}

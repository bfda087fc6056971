// SPDX-License-Identifier: MIT
// The last lines of the log, with the time of each.
#pragma once

#include "lib/out.h"

#define LOGBOOK_LINES 64
#define LOGBOOK_LINE  200

struct logbook_line {
    u64  at_ticks;
    char text[LOGBOOK_LINE]; // what is longer is cut
};

// With the view's lock held.
void logbook_add(u64 now_ticks, const char *text, size_t len);
// Lines are numbered as they come; NULL: that one is not kept any more, or not there yet.
const struct logbook_line *logbook_line(unsigned number);
unsigned                   logbook_first(void); // of those that are kept
unsigned                   logbook_end(void);   // behind the last
void                       logbook_clear(void);

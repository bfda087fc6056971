// SPDX-License-Identifier: MIT
// A line that a person types and edits, and the lines typed before.  Output goes to an `out` that
// makes a terminal's CR and LF of a newline.
#pragma once

#include "lib/out.h"

#define LINE_SIZE    256 // with the NUL
#define LINE_HISTORY 16

// What a key has brought about.
enum line_event {
    LINE_MORE,     // the line goes on
    LINE_DONE,     // Enter: text holds it, NUL-terminated
    LINE_COMPLETE, // Tab: the caller may insert what is meant
    LINE_LEAVE,    // Ctrl-D on an empty line
};

struct line {
    const char *prompt;
    char        text[LINE_SIZE];
    u32         len, at; // at: where the cursor stands
    char        history[LINE_HISTORY][LINE_SIZE];
    u32         n_history; // free-running
    u32         back;      // how far up in the history; 0: the line itself
    u8          escape;    // in the midst of a key's sequence: its last byte; 0: not
    u8          number;    // the sequence's parameter
};

void            line_begin(struct line *l, struct out *o); // an empty one, after the prompt
enum line_event line_key(struct line *l, u8 byte, struct out *o);
void            line_insert(struct line *l, const char *text, size_t len, struct out *o);
void            line_show(const struct line *l, struct out *o); // anew, on an empty line

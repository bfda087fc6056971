// SPDX-License-Identifier: MIT
// What a terminal makes of a program's output: its escape sequences (ECMA-48; xterm's control
// sequences), as far as one must know them in order to write a line of one's own that can be read.
#pragma once

#include "lib/out.h"

enum vt_state { VT_GROUND, VT_ESC, VT_ESC_MORE, VT_CSI, VT_STRING, VT_STRING_ESC };

#define VT_PARAMS 4

// Follows what is sent to a terminal unfiltered.
struct vt {
    enum vt_state state;
    u8            utf8_left; // bytes that are still missing of a character
    bool          utf8_c2;   // it began with 0xc2: it may be a control character
    u8            marker;    // of a CSI: '?', '>', an intermediate byte; 0: none
    u8            opener;    // of a string: ']', 'P', ...
    u16           params[VT_PARAMS];
    u8            n_params;
    u8            dirt;    // what has to be put right; vt.c
    bool          in_line; // the cursor is not known to stand at the begin of an empty line
};

void vt_follow(struct vt *t, u8 byte);
void vt_follow_text(struct vt *t, const char *text, size_t len);
// Ends what is unfinished, undoes what was changed, and goes to the begin of a line; writes nothing
// if only whole lines of plain text were sent.
void vt_restore(struct vt *t, struct out *o);

// Picks the text out of a program's output.
struct vt_filter {
    enum vt_state state;
    u8            utf8_left, utf8_n;
    char          utf8[4];
};

// Takes a byte; returns how many bytes of text it completes, 0 to 4.  Of control characters
// newline, return, tab and backspace are left; a newline ends any sequence.  What is no valid
// UTF-8 becomes '?'.
size_t vt_filter(struct vt_filter *f, u8 byte, char to[4]);

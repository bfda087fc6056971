// SPDX-License-Identifier: MIT
// What the monitor has to say and the line has no room for yet.  All its functions are called with
// the view's lock held.
#pragma once

#include "lib/out.h"

#define SENDER_SIZE 65536 // a power of two

// Sends, after what waits already.  What does not even fit here is lost, and counted.
void sender_put(const char *text, size_t len);
// As an `out`: bytes as they are; and text, whose newline is a terminal's CR and LF.
extern struct out sender_raw, sender_text;
// Hands on what the line takes, but not more than a stay in the monitor allows.  True: it would
// take more.
bool sender_pump(void);
u32  sender_waiting(void); // bytes
u64  sender_lost(void);    // bytes, since the start
void sender_forget(void);

// An answer is sent in one piece, however long it takes: between the two, what sender_put() gets
// comes after it, and what is put here is the piece.
void              sender_open(void);
void              sender_close(void);
bool              sender_is_open(void);
extern struct out sender_piece; // a newline is CR and LF

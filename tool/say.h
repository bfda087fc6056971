// SPDX-License-Identifier: MIT
// What the tool says to its user: one line per mistake, sizes for people, and text from files made
// harmless for a terminal.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Where a mistake is: in a line of a file, or (line == 0) in what the subject names alone.
struct place {
    const char *file;
    unsigned    line;
    const char *subject;    // an option, a field, a path
};

// Says "duomo: SUBJECT: message" on stderr at once, or keeps "FILE:LINE: SUBJECT: message" until
// mistakes_tell(). Returns false, so a check can `return wrong_at(...)`. The message says what is
// wrong, then after a semicolon what would be right.
__attribute__((format(printf, 2, 3)))
bool wrong_at(const struct place *at, const char *format, ...);

__attribute__((format(printf, 2, 3)))
bool wrong(const char *subject, const char *format, ...);

// Says all that was kept, in the order of the lines; keeps it no longer.
void mistakes_tell(void);
void mistakes_forget(void);
bool mistakes_are_many(void);       // so many that nobody wants to read more

// How much of a foreign text a message shows: "%.*s", CLIP(text).
#define CLIP(text) 60, (text)

// A size as people write it: "256 MiB", "26.4 MiB", "917 bytes".
struct size_text {
    char s[32];
};

struct size_text size_text(uint64_t bytes);

// Prints `length` bytes with whatever is not printable ASCII shown as '?'.
void print_text(const char *text, size_t length);

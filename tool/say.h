// SPDX-License-Identifier: MIT
// What the tool says to its user: one line per mistake, sizes for people, and text from files made
// harmless for a terminal.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Prints "duomo: SUBJECT: message" on stderr. Returns false, so a check can `return wrong(...)`.
// The message says what is wrong, then after a semicolon what would be right.
__attribute__((format(printf, 2, 3)))
bool wrong(const char *subject, const char *format, ...);

// A size as people write it: "256 MiB", "26.4 MiB", "917 bytes".
struct size_text {
    char s[32];
};

struct size_text size_text(uint64_t bytes);

// Prints `length` bytes with whatever is not printable ASCII shown as '?'.
void print_text(const char *text, size_t length);

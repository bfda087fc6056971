// SPDX-License-Identifier: MIT
// The board's disk and network card: whether the virtual machines fit them, and what QEMU is told.

#pragma once

#include "config.h"

#include <stdbool.h>
#include <stddef.h>

// Whether the disk has a partition for each machine that wants one, and nobody else has it. With
// `needed`, those that want one must have a disk. On false the mistakes have been told.
bool board_check(const struct config *c, bool needed);

// The words for QEMU's command line.
enum { BOARD_WORDS_MAX = 12, BOARD_TEXT_MAX = 16384 };

struct board_words {
    const char *s[BOARD_WORDS_MAX];
    unsigned    n;
    char        text[BOARD_TEXT_MAX];
    size_t      used;
};

// False: there is no room for so many; that has been told.
bool board_words(const struct config *c, struct board_words *w);

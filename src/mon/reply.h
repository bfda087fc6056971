// SPDX-License-Identifier: MIT
// What a command answers, whole, before any of it is sent: nothing else can come in between.
#pragma once

#include "lib/out.h"

#define REPLY_SIZE 49152

struct reply {
    struct out o; // must be first
    size_t     len;
    bool       is_cut; // it was longer
    char       text[REPLY_SIZE];
};

// Empties it.  There is one, the boot hart's.
struct reply *reply_begin(void);

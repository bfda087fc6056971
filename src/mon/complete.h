// SPDX-License-Identifier: MIT
// Tab.
#pragma once

#include "lib/line.h"

// Completes the word before the cursor, as far as it is clear; shows what it could be if it is not.
void complete(struct line *l, struct out *o);

// SPDX-License-Identifier: MIT
// Bytes in a ring, counted by free-running numbers.
#pragma once

#include "lib/bits.h"

#include <string.h>

// Puts `len` bytes, at most `size`, behind the `at` that were put before; returns how many there
// are then.  `size` is a power of two.
static inline u32 ring_put(char *ring, u32 size, u32 at, const char *from, size_t len)
{
    size_t first = min_u64(len, size - at % size);

    memcpy(ring + at % size, from, first);
    memcpy(ring, from + first, len - first);
    return at + (u32)len;
}

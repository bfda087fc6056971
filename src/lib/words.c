// SPDX-License-Identifier: MIT
// Clearing and copying by words.
//
// In:     aligned memory.
// Out:    zeros, or a copy.
// Always: eight words a turn; the compiler is kept from calling memset() or memcpy() instead.
// Locks:  none.
#include "lib/words.h"

#include "lib/bits.h"

#include <string.h>

#define BY_WORDS __attribute__((optimize("no-tree-loop-distribute-patterns")))

BY_WORDS void words_clear(void *to, size_t bytes)
{
    u64 *word = to, *end = (u64 *)((char *)to + bytes);

    for (; word < end; word += 8) {
        word[0] = 0, word[1] = 0, word[2] = 0, word[3] = 0;
        word[4] = 0, word[5] = 0, word[6] = 0, word[7] = 0;
    }
}

BY_WORDS static size_t by_words(u64 *to, const u64 *from, size_t bytes)
{
    size_t n = bytes / 32 * 4;

    for (size_t i = 0; i < n; i += 4) {
        to[i]     = from[i];
        to[i + 1] = from[i + 1];
        to[i + 2] = from[i + 2];
        to[i + 3] = from[i + 3];
    }
    return 8 * n;
}

// What stands in a device tree is aligned to four bytes only.
BY_WORDS static size_t by_halves(u64 *to, const u32 *from, size_t bytes)
{
    size_t n = bytes / 16 * 2;

    for (size_t i = 0; i < n; i += 2) {
        to[i]     = from[2 * i] | (u64)from[2 * i + 1] << 32;
        to[i + 1] = from[2 * i + 2] | (u64)from[2 * i + 3] << 32;
    }
    return 8 * n;
}

void words_copy(void *to, const void *from, size_t bytes)
{
    size_t done = 0;

    if (is_aligned((u64)from, 8))
        done = by_words(to, from, bytes);
    else if (is_aligned((u64)from, 4))
        done = by_halves(to, from, bytes);
    memcpy((char *)to + done, (const char *)from + done, bytes - done);
}

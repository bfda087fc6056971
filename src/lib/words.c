// SPDX-License-Identifier: MIT
// Clearing and copying by words.
//
// In:     memory; aligned, but for bytes_copy().
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

// `from` is `skew` bytes behind an aligned word.  The last word is left to the caller, and so
// nothing behind the end is read.
BY_WORDS static size_t by_shifts(u64 *to, const u8 *from, unsigned skew, size_t bytes)
{
    const u64 *word = (const u64 *)(const void *)(from - skew);
    unsigned   down = 8 * skew, up = 64 - down;
    size_t     n   = bytes < 8 ? 0 : (bytes - 8) / 32 * 4;
    u64        low = n ? *word++ >> down : 0;

    for (size_t i = 0; i < n; i += 4, word += 4) {
        to[i]     = low | word[0] << up;
        to[i + 1] = word[0] >> down | word[1] << up;
        to[i + 2] = word[1] >> down | word[2] << up;
        to[i + 3] = word[2] >> down | word[3] << up;
        low       = word[3] >> down;
    }
    return 8 * n;
}

BY_WORDS static void by_bytes(u8 *to, const u8 *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        to[i] = from[i];
}

void bytes_copy(void *to, const void *from, size_t bytes)
{
    u8       *t    = to;
    const u8 *f    = from;
    size_t    head = bytes < 16 ? bytes : -(u64)t % 8, done;
    unsigned  skew;

    by_bytes(t, f, head);
    t += head, f += head, bytes -= head;
    skew = (u64)f % 8;
    done = skew ? by_shifts((u64 *)(void *)t, f, skew, bytes)
                : by_words((u64 *)(void *)t, (const u64 *)(const void *)f, bytes);
    by_bytes(t + done, f + done, bytes - done);
}

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

BY_WORDS void words_copy(void *to, const void *from, size_t bytes)
{
    u64       *t   = to;
    const u64 *f   = from;
    size_t     end = is_aligned((u64)from, sizeof *f) ? bytes / 32 * 4 : 0;

    for (size_t i = 0; i < end; i += 4) {
        t[i]     = f[i];
        t[i + 1] = f[i + 1];
        t[i + 2] = f[i + 2];
        t[i + 3] = f[i + 3];
    }
    memcpy(t + end, f + end, bytes - 8 * end);
}

// SPDX-License-Identifier: MIT
// CRC-32, eight bytes at a time.
//
// In:     bytes.
// Out:    their CRC.  A kernel of 30 MB is checked at each boot, so the loop takes eight bytes a
//         turn, each through a table of its own ("slicing"): 3 instructions a byte instead of 8.
// Always: the tables are made on first use, from the polynomial alone.
// Locks:  none; only the boot hart checks bundles.
#include "lib/crc32.h"

#include <string.h>

#define POLYNOMIAL 0xedb88320u

static u32 table[8][256];

static void table_make(void)
{
    for (u32 i = 0; i < 256; i++) {
        u32 c = i;

        for (int bit = 0; bit < 8; bit++)
            c = (c >> 1) ^ (POLYNOMIAL & -(c & 1));
        table[0][i] = c;
    }
    for (u32 i = 0; i < 256; i++)
        for (int t = 1; t < 8; t++)
            table[t][i] = (table[t - 1][i] >> 8) ^ table[0][table[t - 1][i] & 0xff];
}

static u32 eight_bytes(u64 word)
{
    u32 c = 0;

    for (int t = 0; t < 8; t++)
        c ^= table[7 - t][(word >> (8 * t)) & 0xff];
    return c;
}

u32 crc32(const void *data, size_t len)
{
    return crc32_more(0, data, len);
}

u32 crc32_more(u32 crc, const void *data, size_t len)
{
    const u8 *p = data;
    u32       c = ~crc;

    if (!table[0][1])
        table_make();
    for (; len >= 8; p += 8, len -= 8) {
        u64 word;

        memcpy(&word, p, 8);
        c = eight_bytes(word ^ c);
    }
    for (; len; p++, len--)
        c = (c >> 8) ^ table[0][(c ^ *p) & 0xff];
    return ~c;
}

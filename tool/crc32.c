// SPDX-License-Identifier: MIT
// In:     bytes.
// Out:    their CRC-32 (IEEE 802.3: reflected, polynomial 0x04c11db7, inverted at both ends).
// Always: the same value that zlib, U-Boot and `cksum -o 3` compute.

#include "crc32.h"

enum { POLYNOMIAL_REFLECTED = 0xedb88320 };

// What four bits shifted out of the register leave behind in it.
static void table_fill(uint32_t table[16])
{
    for (uint32_t i = 0; i < 16; i++) {
        uint32_t r = i;

        for (int bit = 0; bit < 4; bit++)
            r = r & 1 ? r >> 1 ^ (uint32_t)POLYNOMIAL_REFLECTED : r >> 1;
        table[i] = r;
    }
}

uint32_t crc32_of(const void *data, size_t size)
{
    const uint8_t *p = data;
    uint32_t table[16];
    uint32_t r = ~0u;

    table_fill(table);
    for (size_t i = 0; i < size; i++) {
        r ^= p[i];
        r = r >> 4 ^ table[r & 15];
        r = r >> 4 ^ table[r & 15];
    }
    return ~r;
}

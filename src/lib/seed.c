// SPDX-License-Identifier: MIT
// Unpredictable bytes.
//
// In:     the machine's own rng-seed, times.
// Out:    bytes for guests.
// Always: after each call the key is replaced by bytes nobody was given, so that one guest's bytes
//         tell nothing of another's.
// Locks:  the caller's (dev/entropy.c).
#include "lib/seed.h"

#include <string.h>

static u32 key[8];
static u32 counter;

static u32 rotate(u32 v, int n)
{
    return v << n | v >> (32 - n);
}

static void quarter(u32 *s, int a, int b, int c, int d)
{
    s[a] += s[b], s[d] = rotate(s[d] ^ s[a], 16);
    s[c] += s[d], s[b] = rotate(s[b] ^ s[c], 12);
    s[a] += s[b], s[d] = rotate(s[d] ^ s[a], 8);
    s[c] += s[d], s[b] = rotate(s[b] ^ s[c], 7);
}

static void block(u32 out[16])
{
    static const u32 sigma[4]  = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
    u32              start[16] = { 0 };

    memcpy(start, sigma, sizeof sigma);
    memcpy(start + 4, key, sizeof key);
    start[12] = counter++;
    memcpy(out, start, sizeof start);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 4; i++)
            quarter(out, i, 4 + i, 8 + i, 12 + i);
        for (int i = 0; i < 4; i++)
            quarter(out, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4);
    }
    for (int i = 0; i < 16; i++)
        out[i] += start[i];
}

void seed_mix(const void *data, size_t len)
{
    const u8 *p = data;
    u32       out[16];

    for (size_t i = 0; i < len; i++) {
        ((u8 *)key)[i % sizeof key] ^= p[i];
        if (i % sizeof key == sizeof key - 1 || i == len - 1) {
            block(out);
            memcpy(key, out, sizeof key);
        }
    }
}

// Half of the last block is the next key.
void seed_take(void *to, size_t len)
{
    u8 *p = to;
    u32 out[16];

    for (size_t n; len > sizeof key; p += n, len -= n) {
        n = len < sizeof out ? len : sizeof out;
        block(out);
        memcpy(p, out, n);
    }
    block(out);
    memcpy(key, out, sizeof key);
    memcpy(p, out + 8, len);
}

// SPDX-License-Identifier: MIT
// The fuzzer's bytes, taken one number after the other; zeros when they are used up.
#pragma once

#include "lib/types.h"

#include <string.h>

struct bytes {
    const u8 *at;
    size_t    left;
};

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static inline u64 bytes_take(struct bytes *b, size_t n)
{
    u64 value = 0;

    n = n < b->left ? n : b->left;
    memcpy(&value, b->at, n);
    b->at += n;
    b->left -= n;
    return value;
}

// A number below n.
static inline u64 bytes_below(void *b, u64 n)
{
    return bytes_take(b, n <= 256 ? 1 : n <= 65536 ? 2 : 8) % n;
}

// A 64-bit number; often one at a border.
static inline u64 bytes_odd(struct bytes *b)
{
    static const u64 odd[] = { 0,         1,          8,          63,         64,
                               0xfff,     0x1000,     0x7fffffff, 0x80000000, 0xffffffff,
                               1ul << 32, 0x80fffff8, ~0ul,       ~0ul - 7,   1ul << 63,
                               1ul << 38, 0x80001000, 0x80002000, 0x10000000 };
    u64              pick  = bytes_take(b, 1);

    if (pick < 2 * ARRAY_LEN(odd))
        return odd[pick / 2] + (pick & 1 ? bytes_take(b, 1) : 0);
    return pick < 128   ? bytes_take(b, 2)
           : pick < 192 ? 0x80000000 + bytes_take(b, 3)
                        : bytes_take(b, 8);
}

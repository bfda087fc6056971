// SPDX-License-Identifier: MIT
// Bits and fields of registers, and alignment.  Pure functions of values.
#pragma once

#include "lib/types.h"

#define BIT(n)       (1ul << (n))
#define BITS(hi, lo) ((~0ul >> (63 - (hi))) & (~0ul << (lo)))

static inline u64 field_get(u64 word, u64 mask)
{
    return (word & mask) >> __builtin_ctzl(mask);
}

static inline u64 field_set(u64 word, u64 mask, u64 value)
{
    return (word & ~mask) | ((value << __builtin_ctzl(mask)) & mask);
}

// The bits of `to` where mask is set, those of `word` elsewhere.
static inline u64 bits_merge(u64 word, u64 to, u64 mask)
{
    return (word & ~mask) | (to & mask);
}

static inline s64 sign_extend(u64 value, unsigned bits)
{
    return (s64)(value << (64 - bits)) >> (64 - bits);
}

static inline u64 align_down(u64 a, u64 size)
{
    return a & ~(size - 1);
}

static inline u64 align_up(u64 a, u64 size)
{
    return (a + size - 1) & ~(size - 1);
}

static inline bool is_aligned(u64 a, u64 size)
{
    return (a & (size - 1)) == 0;
}

static inline bool is_power_of_two(u64 a)
{
    return a && !(a & (a - 1));
}

// Does [at, at + len) lie inside [base, base + size)?  No sum here can wrap; base + size must not.
static inline bool range_contains(u64 base, u64 size, u64 at, u64 len)
{
    return at >= base && at - base <= size && len <= size - (at - base);
}

// The lowest bit that is set; of 0, 0.  (RV64GC has no instruction for it, and the compiler's
// library needs 45.  De Bruijn: Leiserson, Prokop, Randall, 1998.)
static inline unsigned lowest_bit(u32 word)
{
    static const u8 place[32] = { 0,  1,  28, 2,  29, 14, 24, 3, 30, 22, 20, 15, 25, 17, 4,  8,
                                  31, 27, 13, 23, 21, 19, 16, 7, 26, 12, 18, 6,  11, 5,  10, 9 };

    return place[((word & -word) * 0x077cb531u) >> 27];
}

static inline u64 min_u64(u64 a, u64 b)
{
    return a < b ? a : b;
}

static inline u64 max_u64(u64 a, u64 b)
{
    return a > b ? a : b;
}

// An address of which a device register holds the lower or the higher 32 bits.
static inline gpa_t gpa_half_set(gpa_t at, bool high, u32 value)
{
    return gpa(field_set(at.a, high ? BITS(63, 32) : BITS(31, 0), value));
}

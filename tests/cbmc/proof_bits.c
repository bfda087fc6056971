// SPDX-License-Identifier: MIT
// Proofs: fields of registers, sign extension, and the one check that all addresses of guests go
// through.
#include "proof.h"

#include "lib/bits.h"

typedef unsigned __int128 u128;

void prove_range_comparisons(void);
void prove_range_facts(void);
void prove_range_contains(void);
void prove_fields(void);
void prove_sign_extend(void);
void prove_align(void);

// That range_contains() equals a sum that cannot wrap is too much for the solver at once, so there
// are three proofs, each for all 64-bit values: it is the conjunction of three comparisons; three
// facts of arithmetic hold; by these facts the comparisons equal the sum.

void prove_range_comparisons(void)
{
    u64 base = nondet_u64(), size = nondet_u64(), at = nondet_u64(), len = nondet_u64();
    u64 off = at - base, rest = size - off;

    CLAIM(range_contains(base, size, at, len) == (at >= base && off <= size && len <= rest));
}

void prove_range_facts(void)
{
    u64 base = nondet_u64(), size = nondet_u64(), at = nondet_u64(), len = nondet_u64(),
        end = nondet_u64();

    CLAIM(((u128)base + size <= ~0ul) == (base + size >= base));
    CLAIM(size - (at - base) == base + size - at);
    if (at >= base && base + size >= base)
        CLAIM((at - base <= size) == (at <= base + size));
    if (at <= end)
        CLAIM((len <= end - at) == ((u128)at + len <= end));
}

void prove_range_contains(void)
{
    u64  base = nondet_u64(), size = nondet_u64(), at = nondet_u64(), len = nondet_u64();
    u64  off = at - base, rest = size - off, end = base + size, to_end = end - at;
    u128 sum = (u128)at + len;

    ASSUME(end >= base);
    ASSUME(rest == to_end);
    ASSUME(at < base || (off <= size) == (at <= end));
    ASSUME(at > end || (len <= to_end) == (sum <= end));
    CLAIM((at >= base && off <= size && len <= rest) == (at >= base && sum <= end));
}

// For all words and all masks of neighbouring bits.
void prove_fields(void)
{
    u64 word = nondet_u64(), value = nondet_u64(), n = nondet_u64();
    u32 lo = nondet_u32(), hi = nondet_u32();

    ASSUME(lo <= hi && hi < 64 && n < 64);

    u64  mask = BITS(hi, lo), got = field_get(word, mask), set = field_set(word, mask, value);
    bool in = n >= lo && n <= hi;

    CLAIM((mask >> n & 1) == in);
    if (in) {
        CLAIM((got >> (n - lo) & 1) == (word >> n & 1));
        CLAIM((set >> n & 1) == (value >> (n - lo) & 1));
    } else {
        CLAIM((set >> n & 1) == (word >> n & 1));
    }
    CLAIM(hi - lo == 63 || got < 1ul << (hi - lo + 1));
    CLAIM((bits_merge(word, value, mask) >> n & 1) == ((in ? value : word) >> n & 1));
}

void prove_sign_extend(void)
{
    u64 value = nondet_u64(), n = nondet_u64();
    u32 bits = nondet_u32();

    ASSUME(bits >= 1 && bits <= 64 && n < 64);
    CLAIM(((u64)sign_extend(value, bits) >> n & 1) == (value >> (n < bits ? n : bits - 1) & 1));
}

void prove_align(void)
{
    u64 a     = nondet_u64(), down, up;
    u32 shift = nondet_u32();

    ASSUME(shift < 64);

    u64 size = 1ul << shift;

    down = align_down(a, size);
    CLAIM(down <= a && a - down < size && is_aligned(down, size));
    ASSUME(a <= ~0ul - (size - 1));
    up = align_up(a, size);
    CLAIM(up >= a && up - a < size && is_aligned(up, size));
}

// SPDX-License-Identifier: MIT
// Overflows its own stack at once: it grows down through the whole image, the trap handler
// included, and through the beginning of RAM.
// Shows: C3
#include "hostile.h"

__attribute__((noinline)) static u64 deeper(u64 n)
{
    volatile u64 here[512];

    for (int i = 0; i < 512; i++)
        here[i] = n;
    return n ? deeper(n + 1) + here[n % 512] : 0;
}

GUEST(overflow)
{
    say("round 1");
    say("%lu", deeper(arg("from", 1)));
}

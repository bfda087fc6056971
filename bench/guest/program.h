// SPDX-License-Identifier: MIT
// What all of the benchmarks' Linux programs need.
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef uint64_t u64;

// Ends with what errno says.
static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static u64 now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 1000000000 + (u64)t.tv_nsec;
}

// SPDX-License-Identifier: MIT
// 2^16 small pages at once, on few frames, read and written in three orders: more than any cache of
// translations holds.
// Shows: P10
#include "page.h"

#define VA     0x200000000ul
#define COUNT  65536ul
#define FRAMES 64

static u64 memory[FRAMES][PAGE / 8] __attribute__((aligned(PAGE)));

static u64 frame_of(u64 i)
{
    return (i * 2654435761u >> 7) % FRAMES;
}

static u64 pass(u64 stride)
{
    u64 wrong = 0;

    for (u64 i = 0, n = 0; n < COUNT; n++, i = (i + stride) % COUNT) {
        wrong += peek64(VA + i * PAGE) != frame_of(i);
        poke64(VA + i * PAGE + 8, i);
        wrong += memory[frame_of(i)][1] != i;
    }
    return wrong;
}

GUEST(page_many)
{
    struct space space;

    for (u64 f = 0; f < FRAMES; f++)
        memory[f][0] = f;
    space_make(&space, 3);
    for (u64 i = 0; i < COUNT; i++)
        space_map(&space, VA + i * PAGE, (u64)memory[frame_of(i)], PTE_KERNEL, 0);
    space_enter(&space, 0);
    printf("forward: %lu wrong\n", pass(1));
    printf("backward: %lu wrong\n", pass(COUNT - 1));
    printf("in leaps: %lu wrong\n", pass(20011));
    space_leave();
}

// SPDX-License-Identifier: MIT
// What the host's device tree says of the machine as a whole.
#pragma once

#include "isa/ext.h"

#define RAM_RANGES_MAX    8
#define MACHINE_HARTS_MAX 64
#define RESERVED_MAX      512

struct range {
    u64 base, size;
};

struct machine {
    const void  *fdt;
    const char  *model;
    const char  *host_isa;
    u32          n_harts;
    u32          hart_ids[MACHINE_HARTS_MAX]; // of the first so many
    u64          timebase_hz;
    struct isa   isa;                    // what a guest may have
    u32          cbom_block, cboz_block; // bytes; 0: the tree does not say
    struct range ram[RAM_RANGES_MAX];
    unsigned     n_ram;
};
// Fixed after machine_read().
extern struct machine machine;

static inline u64 ticks_of_ms(u64 ms)
{
    return machine.timebase_hz / 1000 * ms;
}

static inline u64 ticks_of_us(u64 us)
{
    return machine.timebase_hz / 1000 * us / 1000;
}

// So long, in ticks, a guest is let in before more is done of what others bring about: 5 us.
static inline u64 guest_pause(void)
{
    return machine.timebase_hz / 200000;
}

// Reads the tree.  Returns NULL, or in one line what is wrong and what would help.
MUST_CHECK const char *machine_read(const void *fdt);

// Physical memory.  ram_reserve() is for boot; the others may be called from any hart.
void ram_reserve(u64 base, u64 size);
// Memory aligned to `align` (a power of two); 0 if there is none so large.  What ram_alloc() gives
// is zero; what ram_take() gives holds anything.
MUST_CHECK u64 ram_alloc(u64 size, u64 align);
MUST_CHECK u64 ram_take(u64 size, u64 align);
// Gives back what the two gave.
void ram_release(u64 base);
u64  ram_free_bytes(void);
u64  ram_total_bytes(void);
// The n-th range that was reserved or handed out; false: there are no more.
bool ram_taken(unsigned n, struct range *r);

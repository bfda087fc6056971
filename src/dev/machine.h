// SPDX-License-Identifier: MIT
// What the host's device tree says of the machine as a whole.
#pragma once

#include "isa/ext.h"

#define RAM_RANGES_MAX 8
#define RESERVED_MAX   128

struct range {
    u64 base, size;
};

struct machine {
    const void  *fdt;
    const char  *model;
    const char  *host_isa;
    u32          n_harts;
    u64          timebase_hz;
    struct isa   isa, isa_without_fp;    // what a guest may have
    u32          cbom_block, cboz_block; // bytes; 0: the tree does not say
    struct range ram[RAM_RANGES_MAX];
    unsigned     n_ram;
};
// Fixed after machine_read().
extern struct machine machine;

// Reads the tree.  Returns NULL, or in one line what is wrong and what would help.
MUST_CHECK const char *machine_read(const void *fdt);

// Physical memory, handed out once, at boot and at the creation of virtual machines.
void ram_reserve(u64 base, u64 size);
// Zeroed memory, aligned to `align` (a power of two); 0 if there is none so large.
MUST_CHECK u64 ram_alloc(u64 size, u64 align);
u64            ram_free_bytes(void);
u64            ram_total_bytes(void);
// The n-th range that was reserved or handed out; false: there are no more.
bool ram_taken(unsigned n, struct range *r);

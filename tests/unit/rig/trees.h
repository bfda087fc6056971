// SPDX-License-Identifier: MIT
// Device trees for tests: a host machine whose RAM is the host program's own memory, and bundles.
#pragma once

#include "lib/types.h"

#include <stdbool.h>

// Memory that stands for the machine's RAM; zeroed, 2 MiB-aligned.  One at a time.
u8  *ram_make(u64 size);
void ram_free(void);

// Nothing is known of the machine, nothing of its RAM is taken.
void machine_forget(void);

// The machine's tree, with that RAM; without what `lacks` names ("timebase", "isa", "memory").
void host_tree_make(void *to, int room, const char *lacks);

// What a bundle says of its one VM; parts that are NULL or 0 are left out.
struct bundle_spec {
    u64         memory;
    const char *bootargs, *engine;
    const void *kernel, *ramdisk;
    u32         kernel_size, ramdisk_size;
    u64         vcpus, shadow_pages;
    bool        wrong_crc, no_crc, no_data, no_vms, wrong_names, odd_data, no_text;
    unsigned    n_vms; // 0: one
    const char *partition;
    const u8   *mac;
    u64         mac_size, vlan, net_rate;
    bool        vcons, disk_readonly;
    u64         weight, disk_requests, disk_bytes;
};
// Returns its size.
int bundle_make(void *to, int room, const struct bundle_spec *s);

// A kernel image: Linux's header, then a pattern.
void kernel_make(u8 *to, u32 size, u64 text_offset, u64 image_size);

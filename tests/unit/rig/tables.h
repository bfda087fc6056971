// SPDX-License-Identifier: MIT
// Partition tables on the desk: made whole in an image of a disk, to be read or to be damaged.
#pragma once

#include "dev/part.h"

struct table_part {
    u64         first, last; // blocks
    const char *label;       // ASCII
};

// Headers at blocks 1 and n_blocks - 1, entries beside them, a protective MBR.  Entries are
// n_entries of entry_size bytes.
void gpt_make(u8 *image, u32 block_size, u64 n_blocks, const struct table_part *p, unsigned n,
              u32 n_entries, u32 entry_size);
// The checksums of the header in that block, and of what it calls its entries, are right again.
void gpt_seal(u8 *image, u32 block_size, u64 header);
// The same, whatever stands there: nothing outside the image is looked at.
void gpt_seal_within(u8 *image, u32 block_size, u64 header, u64 n_blocks);
u64  gpt_entries_at(const u8 *image, u32 block_size, u64 header); // block

void mbr_sign(u8 *block, u32 signature);
void mbr_entry_put(u8 *block, int slot, u8 type, u32 first, u32 n);

void put32(u8 *to, u32 value);
void put64(u8 *to, u64 value);

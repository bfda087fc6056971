// SPDX-License-Identifier: MIT
// Making partition tables.
//
// In:     where partitions shall be.
// Out:    an image with a GPT or an MBR.
// Always: numbers are written by their place in the specification (UEFI 2.10, 5.2 and 5.3), not
//         with the reader's own constants.
// Locks:  none.
#include "rig/tables.h"

#include "lib/crc32.h"

#include <string.h>

void put32(u8 *to, u32 value)
{
    memcpy(to, &value, sizeof value);
}

void put64(u8 *to, u64 value)
{
    memcpy(to, &value, sizeof value);
}

static u32 get32(const u8 *from)
{
    u32 value;

    memcpy(&value, from, sizeof value);
    return value;
}

u64 gpt_entries_at(const u8 *image, u32 block_size, u64 header)
{
    u64 at;

    memcpy(&at, image + header * block_size + 72, sizeof at);
    return at;
}

void gpt_seal(u8 *image, u32 block_size, u64 header)
{
    u8 *h       = image + header * block_size;
    u64 entries = gpt_entries_at(image, block_size, header);

    put32(h + 88, crc32(image + entries * block_size, (size_t)get32(h + 80) * get32(h + 84)));
    put32(h + 16, 0);
    put32(h + 16, crc32(h, get32(h + 12)));
}

void gpt_seal_within(u8 *image, u32 block_size, u64 header, u64 n_blocks)
{
    u8 *h     = image + header * block_size;
    u64 at    = gpt_entries_at(image, block_size, header);
    u64 bytes = (u64)get32(h + 80) * get32(h + 84);

    if (at < n_blocks && bytes <= (n_blocks - at) * block_size)
        put32(h + 88, crc32(image + at * block_size, bytes));
    put32(h + 16, 0);
    if (get32(h + 12) <= block_size)
        put32(h + 16, crc32(h, get32(h + 12)));
}

static void entries_put(u8 *to, const struct table_part *p, unsigned n, u32 entry_size)
{
    for (unsigned i = 0; i < n; i++, to += entry_size) {
        memset(to, 0, entry_size);
        memset(to, 0x11, 16);
        for (u8 b = 0; b < 16; b++)
            to[16 + b] = (u8)(b << 4 | (i & 15));
        put64(to + 32, p[i].first);
        put64(to + 40, p[i].last);
        for (size_t c = 0; p[i].label[c]; c++)
            to[56 + 2 * c] = (u8)p[i].label[c];
    }
}

static void header_put(u8 *h, u64 at, u64 other, u64 entries, u64 first, u64 last)
{
    memcpy(h, "EFI PART", 8);
    put32(h + 8, 0x10000);
    put32(h + 12, 92);
    put64(h + 24, at);
    put64(h + 32, other);
    put64(h + 40, first);
    put64(h + 48, last);
    memset(h + 56, 0xdd, 16);
    put64(h + 72, entries);
}

void gpt_make(u8 *image, u32 block_size, u64 n_blocks, const struct table_part *p, unsigned n,
              u32 n_entries, u32 entry_size)
{
    u64 span  = ((u64)n_entries * entry_size + block_size - 1) / block_size, last = n_blocks - 1;
    u64 at[2] = { 1, last }, entries[2] = { 2, last - span };

    memset(image, 0, n_blocks * block_size);
    mbr_sign(image, 0);
    mbr_entry_put(image, 0, 0xee, 1, (u32)last);
    for (int i = 0; i < 2; i++) {
        u8 *h = image + at[i] * block_size;

        header_put(h, at[i], at[!i], entries[i], 2 + span, last - span - 1);
        put32(h + 80, n_entries);
        put32(h + 84, entry_size);
        entries_put(image + entries[i] * block_size, p, n, entry_size);
        gpt_seal(image, block_size, at[i]);
    }
}

void mbr_sign(u8 *block, u32 signature)
{
    put32(block + 440, signature);
    block[510] = 0x55;
    block[511] = 0xaa;
}

void mbr_entry_put(u8 *block, int slot, u8 type, u32 first, u32 n)
{
    u8 *e = block + 446 + 16 * slot;

    e[4] = type;
    put32(e + 8, first);
    put32(e + 12, n);
}

// SPDX-License-Identifier: MIT
// Partitions of a disk, as a GPT (UEFI 2.10, 5.3) or an MBR (5.2) has them.
#pragma once

#include "lib/types.h"

#define PARTS_MAX  64
#define LABEL_SIZE (36 * 3 + 1) // 36 UTF-16 units as UTF-8, and a NUL
#define PART_ID    37           // a GUID as text, with its NUL

struct part {
    u32         number; // from 1, as the table counts
    u64         first, n_sectors;
    char        label[LABEL_SIZE]; // UTF-8 without control characters; "" in an MBR
    char        id[PART_ID]; // GPT: the unique GUID; MBR: signature and number, as Linux has it
    const char *refused;     // why it cannot be used; NULL: it can
};

struct parts {
    const char *table;        // "GPT", "GPT (backup)", "MBR", "none"
    char        warning[128]; // in one line, what is wrong and what would help; "": nothing
    unsigned    n, n_more;    // those beyond PARTS_MAX are counted
    struct part list[PARTS_MAX];
};

// What a table is read from.  Blocks are of 512 to 4096 bytes.
struct blocks {
    // False: it cannot be read.  *bytes is good until the next call.
    bool (*read)(void *arg, u64 number, const u8 **bytes);
    void *arg;
    u64   n_blocks;
    u32   block_size;
};

// Reads the table, its copy if it is damaged.
void parts_read(const struct blocks *b, struct parts *p);

// Are these sectors on a device of so many?  No sum here can wrap.
static inline bool part_holds(u64 device_sectors, u64 sector, u64 n_sectors)
{
    return n_sectors && n_sectors <= device_sectors && sector <= device_sectors - n_sectors;
}

// The formats, as functions of blocks.  All places are in blocks.
struct gpt {
    u64 alternate;
    u64 first_usable, last_usable;
    u64 entries_at;
    u32 n_entries, entry_size, entries_crc;
};
#define GPT_ENTRY 128 // bytes of an entry that mean something

// A header that was read from block `at`: NULL, or what is wrong with it.
MUST_CHECK const char *gpt_header(const u8 *block, u32 block_size, u64 at, u64 n_blocks,
                                  struct gpt *g);
// False: the entry is not in use.
MUST_CHECK bool gpt_entry(const u8 entry[GPT_ENTRY], const struct gpt *g, u32 number,
                          struct part *p);

struct mbr {
    bool valid, protective;
    u32  signature;
    struct mbr_entry {
        bool used, extended;
        u32  first, n;
    } entries[4];
};
void mbr_parse(const u8 *block, struct mbr *m);

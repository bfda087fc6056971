// SPDX-License-Identifier: MIT
// Fuzzes master boot records and chains of logical partitions: a good disk, whose entries the bytes
// then change, anywhere in the chain.
#include "bytes.h"
#include "dev/blk.h"
#include "lib/panic.h"
#include "rig/tables.h"

#define BLOCKS 1024

static u8           image[BLOCKS * 512];
static struct parts got;
static u64          bad;
static unsigned     n_reads;

static bool read_block(void *arg, u64 number, const u8 **bytes)
{
    (void)arg;
    ASSERT(number < BLOCKS);
    n_reads++;
    *bytes = image + number * 512;
    return number != bad;
}

static void disk_make(void)
{
    memset(image, 0, sizeof image);
    mbr_sign(image, 0xcafe);
    mbr_entry_put(image, 0, 0x83, 10, 90);
    mbr_entry_put(image, 1, 0x0f, 100, 900);
    for (u32 i = 0; i < 9; i++) {
        u8 *here = image + (size_t)(100 + 100 * i) * 512;

        mbr_sign(here, 0);
        mbr_entry_put(here, 0, 0x83, 1, 99);
        if (i < 8)
            mbr_entry_put(here, 1, 0x05, 100 * (i + 1), 100);
    }
}

// Signed or not, at any block; small numbers most often, since they lead into the disk.
static void entry_change(struct bytes *b)
{
    static const u8 types[] = { 0, 0x83, 5, 0xf, 0x85, 0xee, 7, 0x83 };
    u8             *here    = image + (bytes_take(b, 1) & 1 ? 100 * bytes_below(b, 10)
                                                            : bytes_below(b, BLOCKS)) * 512;
    u64             shape   = bytes_take(b, 1);
    u32             first   = shape & 1 ? (u32)bytes_below(b, BLOCKS) : (u32)bytes_odd(b);
    u32             n       = shape & 2 ? (u32)bytes_below(b, BLOCKS) : (u32)bytes_odd(b);

    mbr_sign(here, (u32)bytes_take(b, 1));
    mbr_entry_put(here, shape >> 2 & 3, types[shape >> 4 & 7], first, n);
    if (shape & 0x80)
        here[bytes_below(b, 512)] = (u8)bytes_take(b, 1);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t length)
{
    struct bytes  b      = { data, length };
    struct blocks blocks = { read_block, NULL, BLOCKS, 512 };

    disk_make();
    bad     = bytes_take(&b, 1) & 1 ? bytes_below(&b, BLOCKS) : ~0ul;
    n_reads = 0;
    for (u64 n = bytes_below(&b, 24); n; n--)
        entry_change(&b);
    parts_read(&blocks, &got);
    ASSERT(got.n <= PARTS_MAX && n_reads <= 200);
    for (unsigned i = 0; i < got.n; i++) {
        const struct part *p = &got.list[i];

        if (p->refused)
            continue;
        ASSERT(p->first && part_holds(BLOCKS, p->first, p->n_sectors));
        for (unsigned j = 0; j < i; j++)
            ASSERT(got.list[j].refused || got.list[j].first + got.list[j].n_sectors <= p->first ||
                   p->first + p->n_sectors <= got.list[j].first);
    }
    return 0;
}

// SPDX-License-Identifier: MIT
// Fuzzes GUID partition tables: a good one, damaged by the bytes, with checksums that are right
// again or not; and blocks of nothing but the bytes.
#include "bytes.h"
#include "dev/blk.h"
#include "lib/panic.h"
#include "rig/tables.h"

#define BLOCKS 256

static u8           image[BLOCKS * 4096];
static struct parts got;
static u32          size;
static u64          bad;
static unsigned     n_reads;

static bool read_block(void *arg, u64 number, const u8 **bytes)
{
    ASSERT(number < *(u64 *)arg);
    n_reads++;
    *bytes = image + number * size;
    return number != bad;
}

// Whatever the table says.
static void judge(u64 n_blocks)
{
    for (unsigned i = 0; i < got.n; i++) {
        const struct part *p = &got.list[i];

        if (p->refused)
            continue;
        ASSERT(p->first && part_holds(n_blocks * size / SECTOR_SIZE, p->first, p->n_sectors));
        for (unsigned j = 0; j < i; j++)
            ASSERT(got.list[j].refused || got.list[j].first + got.list[j].n_sectors <= p->first ||
                   p->first + p->n_sectors <= got.list[j].first);
        ASSERT(strlen(p->label) < LABEL_SIZE && strlen(p->id) < PART_ID);
        for (const char *c = p->label; *c; c++)
            ASSERT((u8)*c >= 0x20 && *c != 0x7f);
    }
    ASSERT(got.n <= PARTS_MAX && strlen(got.warning) < sizeof got.warning && n_reads < 5000);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t length)
{
    static const u32  entry_sizes[] = { 128, 256, 512, 128 };
    struct bytes      b             = { data, length };
    u64               n_blocks      = 100 + bytes_below(&b, BLOCKS - 99);
    struct table_part p[]           = { { 80, 84, "one" }, { 85, 88, "two" }, { 89, 89, "three" } };
    u64               shape         = bytes_take(&b, 1);

    size    = shape & 1 ? 512 : 4096;
    bad     = shape & 2 ? bytes_below(&b, n_blocks) : ~0ul;
    n_reads = 0;
    gpt_make(image, size, n_blocks, p, 3, 16 + (u32)bytes_below(&b, 16), entry_sizes[shape >> 2 & 3]);
    for (u64 n = bytes_below(&b, 12); n; n--) {
        u64 header = bytes_take(&b, 1) & 1 ? 1 : n_blocks - 1, what = bytes_below(&b, 4);
        u8 *h = image + header * size, *e = image + (header == 1 ? 2 : n_blocks - 20) * size;

        if (what == 0)
            put32(h + 4 * bytes_below(&b, 23), (u32)bytes_odd(&b));
        if (what == 1)
            put64(h + 24 + 8 * bytes_below(&b, 8), bytes_odd(&b));
        if (what == 2)
            put64(e + 8 * bytes_below(&b, 8 * 16), bytes_odd(&b));
        if (what == 3)
            image[bytes_below(&b, n_blocks * size)] = (u8)bytes_take(&b, 1);
        if (bytes_take(&b, 1) & 1)
            gpt_seal_within(image, size, header, n_blocks);
    }

    struct blocks blocks = { read_block, &n_blocks, n_blocks, size };

    parts_read(&blocks, &got);
    judge(n_blocks);
    return 0;
}

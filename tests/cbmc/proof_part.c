// SPDX-License-Identifier: MIT
// Proofs: a request that is let into a partition stays in it, and so on the disk, for all numbers.
#include "proof.h"

#include "dev/disk_queue.c"

typedef unsigned __int128 u128;

void prove_part_holds(void);
void prove_admit(void);

bool last_words_are_mine(void)
{
    return false;
}

void prove_part_holds(void)
{
    u64 device = nondet_u64(), sector = nondet_u64(), n = nondet_u64();

    CLAIM(part_holds(device, sector, n) == (n > 0 && (u128)sector + n <= device));
}

static struct disk idle;

// What enqueue() adds is the partition's first sector; the partition is on the disk.
void prove_admit(void)
{
    struct seg    segs[2]  = { { .at = hpa(nondet_u64()), .len = nondet_u32() }, { .at = hpa(nondet_u64()), .len = nondet_u32() } };
    u64           disk     = nondet_u64();
    struct client c        = { .dev = { .n_sectors   = nondet_u64(),
                                        .first       = nondet_u64(),
                                        .block_size  = nondet_bool() ? 512 : 4096,
                                        .segs_max    = nondet_u32(),
                                        .sectors_max = nondet_u64(),
                                        .discard_max = nondet_u64(),
                                        .zeroes_max  = nondet_u64(),
                                        .read_only   = nondet_bool(),
                                        .has_flush   = nondet_bool() } };
    struct blkreq r        = { .op        = (enum blk_op)nondet_u32(),
                               .sector    = nondet_u64(),
                               .n_sectors = nondet_u64(),
                               .segs      = segs,
                               .n_segs    = nondet_u32() };
    u64           asked_at = r.sector;

    ASSUME(part_holds(disk, c.dev.first, c.dev.n_sectors) && disk <= ~0ul / SECTOR_SIZE);
    ASSUME(r.op <= BLK_WRITE_ZEROES && r.n_segs <= 2);
    if (admit(&c.dev, &r) || r.op == BLK_FLUSH)
        return;
    c.disk = &idle;
    enqueue(&c, &r);
    CLAIM(r.n_sectors > 0 && r.sector >= c.dev.first);
    CLAIM((u128)r.sector + r.n_sectors <= (u128)c.dev.first + c.dev.n_sectors);
    CLAIM((u128)r.sector + r.n_sectors <= disk);
    CLAIM(r.sector - c.dev.first == asked_at);
    CLAIM(!c.dev.read_only || r.op == BLK_READ);
    if (r.op == BLK_READ || r.op == BLK_WRITE)
        CLAIM((r.n_segs > 0 ? (u128)segs[0].len : 0) + (r.n_segs > 1 ? (u128)segs[1].len : 0) ==
              (u128)r.n_sectors * SECTOR_SIZE);
}

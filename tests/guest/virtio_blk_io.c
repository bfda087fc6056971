// SPDX-License-Identifier: MIT
// Requests to a virtio disk: reads, writes, flushes, what lies outside the disk, odd lengths,
// unknown types, ranges that are discarded or zeroed, chains cut anyhow and indirect ones; their
// statuses and lengths and what they moved.
// Shows: D12
#include "virtio.h"

static u8 data[16 * SECTOR], other[16 * SECTOR];

static u64 sum(const u8 *p, u32 len)
{
    u64 h = 0xcbf29ce484222325ul;

    for (u32 i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3ul;
    return h;
}

static void request_print(const char *what, u32 type, u64 sector, u8 *at, u32 len)
{
    u32 told   = 0;
    u8  status = disk_request(type, sector, at, len, &told);

    printf("%s %lx, %u bytes: status %x, told %u", what, sector, len, status, told);
    if (type == T_IN && !status)
        printf(", data %lx", sum(at, len));
    printf("\n");
}

// A range (5.2.6) inside the disk, at its end and over it.  What is read from one that was discarded
// is the device's affair; what was zeroed is zero.  Half a range is no request that a driver may make,
// and the board's disk breaks; what is wrong in two ways has either's status.
static void ranges_print(u32 type, u64 sectors)
{
    static struct {
        u64 sector;
        u32 n, flags;
    } range;
    const u64 first[] = { 40, sectors - 8, sectors - 7, sectors, 1ul << 63, ~0ul };

    for (size_t i = 0; i < sizeof first / sizeof *first; i++)
        for (u32 flags = 0; flags < (i < 2 ? 3 : 1); flags++) {
            range.sector = first[i];
            range.n      = 8;
            range.flags  = flags;
            printf("type %u, flags %u, ", type, flags);
            request_print("8 sectors at", type, first[i], (u8 *)&range, sizeof range);
        }
    if (type == T_WRITE_ZEROES)
        request_print("read", T_IN, 39, data, 10 * SECTOR);
}

static void indirect_print(void)
{
    static struct desc table[20] __attribute__((aligned(16)));
    u32 head, told = 0;

    disk_describe(0, T_IN, 3, data, SECTOR);
    table[0] = (struct desc){ (u64)&disk_header[0], 16, DESC_NEXT, 1 };
    for (u16 i = 1; i <= 16; i++)
        table[i] = (struct desc){ (u64)data + 64ul * (16 - i), 64, DESC_NEXT | DESC_WRITE, i + 1 };
    table[17] = (struct desc){ (u64)&disk_status[0], 1, DESC_WRITE, 0 };
    rings.desc[7].at    = (u64)table;
    rings.desc[7].len   = 18 * 16;
    rings.desc[7].flags = DESC_INDIRECT;
    disk_offer(7);
    disk_kick();
    printf("indirect: %u", disk_wait(&head, &told));
    printf(", head %u, told %u, status %x, data %lx\n", head, told, disk_status[0],
           sum(data, 2 * SECTOR));
}

// Header and data in one piece, data and status in another.
static void framing_print(void)
{
    static struct {
        struct header header;
        u8            data[2 * SECTOR];
    } out = { { T_OUT, 0, 40 }, { 1, 2, 3 } };
    static struct {
        u8 data[SECTOR], status;
    } in;
    u32 head, told = 0;

    rings.desc[0].at = (u64)&out, rings.desc[0].len = 5, rings.desc[0].next = 1;
    rings.desc[1].at = (u64)&out + 5, rings.desc[1].len = sizeof out - 5, rings.desc[1].next = 2;
    rings.desc[2].at = (u64)&in.status, rings.desc[2].len = 1, rings.desc[2].flags = DESC_WRITE;
    rings.desc[0].flags = rings.desc[1].flags = DESC_NEXT;
    in.status                                 = 0xaa;
    disk_offer(0);
    disk_kick();
    printf("framing, write: %u", disk_wait(&head, &told));
    printf(", told %u, status %x\n", told, in.status);
    disk_header[0].type = T_IN, disk_header[0].sector = 40;
    rings.desc[0].at = (u64)&disk_header[0], rings.desc[0].len = 16, rings.desc[0].next = 1;
    rings.desc[1].at = (u64)&in, rings.desc[1].len = sizeof in, rings.desc[1].flags = DESC_WRITE;
    in.status = 0xaa;
    disk_offer(0);
    disk_kick();
    printf("framing, read: %u", disk_wait(&head, &told));
    printf(", told %u, status %x, data %lx\n", told, in.status, sum(in.data, SECTOR));
}

GUEST(virtio_blk_io)
{
    u64 sectors, features = disk_features();

    disk_start(features & (F_VERSION_1 | F_FLUSH | F_INDIRECT | F_DISCARD | F_WRITE_ZEROES));
    sectors = peek64(DISK + VIRTIO_CONFIG);
    printf("%lu sectors\n", sectors);
    request_print("read", T_IN, 0, data, SECTOR);
    request_print("read", T_IN, 5, data, 16 * SECTOR);
    for (u32 i = 0; i < sizeof other; i++)
        other[i] = (u8)(i * 13 + (i >> 8));
    request_print("write", T_OUT, 20, other, 16 * SECTOR);
    request_print("read", T_IN, 19, data, 16 * SECTOR);
    request_print("flush", T_FLUSH, 0, NULL, 0);
    request_print("read", T_IN, sectors - 1, data, SECTOR);
    request_print("read", T_IN, sectors, data, SECTOR);
    request_print("read", T_IN, sectors - 1, data, 2 * SECTOR);
    request_print("write", T_OUT, sectors - 1, other, 2 * SECTOR);
    request_print("read", T_IN, 1ul << 63, data, SECTOR);
    request_print("read", T_IN, ~0ul, data, SECTOR);
    request_print("write", T_OUT, ~0ul, data, 2 * SECTOR);
    request_print("read", T_IN, 1ul << 55, data, SECTOR);
    request_print("read", T_IN, 0, data, 100);
    request_print("read", T_IN, 0, data, SECTOR + 1);
    request_print("write", T_OUT, 0, other, SECTOR - 1);
    request_print("type 99", 99, 0, data, SECTOR);
    request_print("read", T_IN, 0, data, 4 * SECTOR);
    ranges_print(T_WRITE_ZEROES, sectors);
    ranges_print(T_DISCARD, sectors);
    indirect_print();
    framing_print();
    for (u32 i = 0; i < 100; i++) {
        u32 told;

        other[0] = (u8)i;
        if (disk_request(T_OUT, 100 + i, other, SECTOR, &told))
            guest_fail("a write failed");
    }
    for (u32 i = 0; i < 100; i += 9)
        request_print("read", T_IN, 100 + i, data, 8 * SECTOR);
}

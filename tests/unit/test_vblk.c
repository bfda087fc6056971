// SPDX-License-Identifier: MIT
// The virtual disk (Virtio 1.2, 5.2) over a disk that does what it is asked when the test says so.
#include "unit.h"

#include "dev/machine.h"
#include "rig/driver.h"
#include "vm/sched.h"
#include "rig/ramdisk.h"
#include "vdev/patience.h"
#include "vdev/virtio.h"

#define RINGS       (VM_RAM_BASE + 0x10000)
#define HEADERS     (VM_RAM_BASE + 0x20000) // one page of each request: header, status at 0x800
#define DATA        (VM_RAM_BASE + 0x200000)
#define SECTORS     1000
#define F_FLUSH     BIT(9)
#define ALL         (driver_features(&d))
#define STATUS(n)   (HEADERS + 4096ul * (n) + 0x800)
#define NO_STATUS   0xaa

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2 };

static struct rig     *r;
static struct ramdisk *disk;
static struct driver   d;

static void world_make(struct io_limits limits)
{
    bench_reset();
    disk = ramdisk_make(SECTORS);
    r    = rig_make(&(struct rig_options){ .disk = &disk->dev, .disk_limits = limits });
    d    = (struct driver){ .r = r, .base = VIRTIO_BASE(0), .size = 256 };
}

static int setup(void **state)
{
    (void)state;
    world_make((struct io_limits){ 0 });
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    ramdisk_finish_all(disk);
    rig_free(r);
    ramdisk_free(disk);
    return 0;
}

static u8 byte_at(u64 at)
{
    u8 byte;

    assert_true(gmem_read(&r->vm, gpa(at), &byte, 1));
    return byte;
}

// Offers request n: header, one piece of data, status.
static void offer(u32 n, u32 type, u64 sector, u64 at, u32 len)
{
    u64 page      = HEADERS + 4096ul * n;
    u64 header[2] = { type, sector };
    u32 first     = 3 * n;
    u16 in        = type == T_OUT || type >= T_DISCARD ? 0 : DESC_WRITE;
    u8  none      = NO_STATUS;

    assert_true(gmem_write(&r->vm, gpa(page), header, 16));
    assert_true(gmem_write(&r->vm, gpa(STATUS(n)), &none, 1));
    driver_desc(&d, d.desc, first, page, 16, DESC_NEXT, (u16)(first + (len ? 1 : 2)));
    driver_desc(&d, d.desc, first + 1, at, len, DESC_NEXT | in, (u16)(first + 2));
    driver_desc(&d, d.desc, first + 2, STATUS(n), 1, DESC_WRITE, 0);
    driver_offer(&d, (u16)first);
}

static void kicks(void)
{
    bus_answer_kicks(&r->vm.bus);
}

// A request from begin to end; its status, and the number of bytes that the used ring tells.
static u8 request_told(u32 type, u64 sector, u64 at, u32 len, u32 *told)
{
    u32 head;

    offer(0, type, sector, at, len);
    driver_notify(&d);
    ramdisk_finish_all(disk);
    kicks();
    ramdisk_finish_all(disk); // a flush that follows
    kicks();
    assert_true(driver_used(&d, &head, told));
    EXPECT_EQ(head, 0, "its head");
    assert_false(driver_used(&d, &head, &head));
    return byte_at(STATUS(0));
}

static u8 request(u32 type, u64 sector, u64 at, u32 len)
{
    u32 told;

    return request_told(type, sector, at, len, &told);
}

static const u8 *ram(u64 at)
{
    return (const u8 *)gmem_to_host(&r->vm, gpa(at)).a;
}

TEST(configuration)
{
    u64 c = VIRTIO_BASE(0) + V_CONFIG;

    EXPECT_EQ(rig_read(r, c, 8), SECTORS, "capacity");
    EXPECT_EQ(rig_read(r, c + 12, 4), 256, "seg_max");
    EXPECT_EQ(rig_read(r, c + 20, 4), 512, "blk_size");
    EXPECT_EQ(rig_read(r, c + 34, 2), 1, "num_queues");
    EXPECT_EQ(rig_read(r, c + 36, 4), 1 << 20, "max_discard_sectors");
    EXPECT_EQ(rig_read(r, c + 40, 4), 1, "max_discard_seg");
    EXPECT_EQ(rig_read(r, c + 48, 4), 1 << 20, "max_write_zeroes_sectors");
    EXPECT_EQ(rig_read(r, c + 52, 4), 1, "max_write_zeroes_seg");
    EXPECT_EQ(rig_read(r, c + 56, 1), 1, "write_zeroes_may_unmap");
    EXPECT_EQ(ALL & 0xffffff, 0x006246, "features");
    disk->dev.read_only = true;
    EXPECT_EQ(ALL & 0xffffff, 0x000266, "read-only");
    disk->dev.has_flush = false;
    EXPECT_EQ(ALL & 0xffffff, 0x000066, "nothing to flush");
}

// Whatever a driver that keeps to size_max and seg_max makes, the device beneath takes.
TEST(limits_of_the_device_beneath)
{
    u64 c = VIRTIO_BASE(0) + V_CONFIG;

    disk->dev.segs_max    = 256;
    disk->dev.sectors_max = 1000;
    EXPECT_EQ(rig_read(r, c + 12, 4), 125, "seg_max: so many pages");
    EXPECT_EQ(rig_read(r, c + 8, 4), 4096, "size_max: Linux takes no less than a page");
    disk->dev.segs_max    = 10;
    disk->dev.sectors_max = 100;
    disk->dev.block_size  = 4096;
    EXPECT_EQ(rig_read(r, c + 12, 4), 10, "seg_max");
    EXPECT_EQ(rig_read(r, c + 8, 4), 4096, "size_max");
    driver_start(&d, ALL, RINGS);
    EXPECT_EQ(request(T_IN, 0, DATA, 101 * 512), S_IOERR, "too long");
}

TEST(reads_and_writes)
{
    u32 told;

    driver_start(&d, ALL, RINGS);
    EXPECT_EQ(request_told(T_IN, 7, DATA, 1024, &told), S_OK, "read");
    EXPECT_EQ(told, 1025, "written by the device");
    assert_memory_equal(ram(DATA), disk->data + 7 * 512, 1024);
    memset((void *)ram(DATA), 0x77, 512);
    EXPECT_EQ(request_told(T_OUT, 999, DATA, 512, &told), S_OK, "write");
    EXPECT_EQ(told, 1, "the status");
    assert_memory_equal(ram(DATA), disk->data + 999 * 512, 512);
    EXPECT_EQ(request(T_FLUSH, 0, 0, 0), S_OK, "flush");
    EXPECT_EQ(disk->n_flushed, 1, "it reached the device");
}

// Header, data and status may be cut anyhow (2.7.4.1).
TEST(any_framing)
{
    driver_start(&d, ALL, RINGS);
    for (u32 cut = 1; cut < 16; cut++) {
        u64 header[2] = { T_OUT, cut };
        u32 head, len;

        assert_true(gmem_write(&r->vm, gpa(HEADERS), header, 16));
        memset((void *)ram(HEADERS + 16), (int)cut, 512);
        driver_desc(&d, d.desc, 0, HEADERS, cut, DESC_NEXT, 1);
        driver_desc(&d, d.desc, 1, HEADERS + cut, 16 + 100 - cut, DESC_NEXT, 2);
        driver_desc(&d, d.desc, 2, HEADERS + 116, 412, DESC_NEXT, 3);
        driver_desc(&d, d.desc, 3, DATA, 10, DESC_WRITE, 0);
        driver_offer(&d, 0);
        driver_notify(&d);
        ramdisk_finish_all(disk);
        kicks();
        assert_true(driver_used(&d, &head, &len));
        EXPECT_EQ(byte_at(DATA + 9), S_OK, "cut at %u", cut);
        EXPECT_EQ(disk->data[cut * 512], cut, "first byte");
        EXPECT_EQ(disk->data[cut * 512 + 511], cut, "last byte");
    }
}

// Request n of so many pieces of data, a sector each, from an indirect table: header, data, status.
// The header may be cut in two, and the status may be the last byte of the last piece.
#define TABLE(n) (HEADERS + 0x40000 + 4096ul * (n))
#define PIECE(n, i) (DATA + 0x10000ul * (n) + 1024ul * (i))
static void offer_table(u32 n, u32 type, u64 sector, u32 pieces, bool cut, bool joined)
{
    u64 page = HEADERS + 4096ul * n, header[2] = { type, sector };
    u16 at = 0, in = type == T_IN ? DESC_WRITE : 0;

    assert_true(gmem_write(&r->vm, gpa(page), header, 16));
    driver_desc(&d, TABLE(n), at, page, cut ? 8 : 16, DESC_NEXT, (u16)(at + 1));
    at++;
    if (cut) {
        driver_desc(&d, TABLE(n), at, page + 8, 8, DESC_NEXT, (u16)(at + 1));
        at++;
    }
    for (u32 i = 0; i < pieces; i++, at++)
        driver_desc(&d, TABLE(n), at, PIECE(n, i), 512 + (joined && i == pieces - 1),
                    (u16)(in | (joined && i == pieces - 1 ? 0 : DESC_NEXT)), (u16)(at + 1));
    if (!joined)
        driver_desc(&d, TABLE(n), at++, STATUS(n), 1, DESC_WRITE, 0);
    driver_desc(&d, d.desc, n, TABLE(n), 16u * at, DESC_INDIRECT, 0);
    driver_offer(&d, (u16)n);
}

static void table_data_judge(u32 n, u64 sector, u32 pieces)
{
    for (u32 i = 0; i < pieces; i++)
        assert_memory_equal(ram(PIECE(n, i)), disk->data + (sector + i) * 512, 512);
}

TEST(a_long_chain_is_a_table_for_the_device)
{
    static const struct {
        const char *what;
        u32         pieces;
        bool        cut, joined, is_table;
    } shapes[] = {
        { "as drivers do", 20, false, false, true },
        { "as many as there may be", CHAIN_SEGS_MAX - 2, false, false, true },
        { "few", 4, false, false, false },
        { "a header in two pieces", 20, true, false, false },
        { "the status in a piece of data", 20, false, true, false },
    };

    driver_start(&d, ALL, RINGS);
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        unsigned before = disk->n_tables;
        u32      head, told;

        memset((void *)ram(PIECE(0, 0)), (int)(0x40 + i), 1024 * CHAIN_SEGS_MAX);
        offer_table(0, T_IN, 100, shapes[i].pieces, shapes[i].cut, shapes[i].joined);
        driver_notify(&d);
        ramdisk_finish_all(disk);
        kicks();
        assert_true(driver_used(&d, &head, &told));
        EXPECT_EQ(told, 512 * shapes[i].pieces + 1, "%s", shapes[i].what);
        EXPECT_EQ(disk->n_tables - before, shapes[i].is_table, "%s", shapes[i].what);
        table_data_judge(0, 100, shapes[i].pieces);
        EXPECT_EQ(*ram(PIECE(0, shapes[i].pieces - 1) + 513), 0x40 + i, "nothing beyond");
    }
}

// The pieces are each request's own for as long as it lasts, whoever ends first.
TEST(many_tables_in_flight)
{
    u64 seed = 7;
    u32 head, told;

    driver_start(&d, ALL, RINGS);
    for (u32 round = 0; round < 50; round++) {
        for (u32 n = 0; n < 8; n++) {
            u32 type = dice_below(&seed, 2) ? T_IN : T_OUT;

            memset((void *)ram(PIECE(n, 0)), (int)(round + 16 * n), 1024 * 64);
            offer_table(n, type, 100 * n, 1 + (u32)dice_below(&seed, 60), false, false);
        }
        driver_notify(&d);
        while (disk->n_waiting) {
            const struct blkreq *w = disk->waiting[dice_below(&seed, disk->n_waiting)];
            u32                  n = (u32)(w->sector / 100), pieces = w->n_segs;

            for (unsigned i = 0; i < disk->n_waiting; i++)
                if (disk->waiting[i] == w) {
                    ramdisk_finish(disk, i, BLK_OK);
                    break;
                }
            table_data_judge(n, 100 * n, pieces);
            kicks();
        }
        while (driver_used(&d, &head, &told))
            EXPECT_EQ(byte_at(STATUS(head)), S_OK, "%u", head);
    }
    assert_true(disk->n_tables > 100);
}

// D12
TEST(outside_the_disk)
{
    static const u64 sectors[] = { SECTORS, SECTORS - 1, 1ul << 63, ~0ul, ~0ul - 1, 1ul << 55 };

    driver_start(&d, ALL, RINGS);
    for (size_t i = 0; i < ARRAY_LEN(sectors); i++) {
        EXPECT_EQ(request(T_IN, sectors[i], DATA, 1024), S_IOERR, "%zu", i);
        EXPECT_EQ(request(T_OUT, sectors[i], DATA, 1024), S_IOERR, "%zu", i);
    }
    EXPECT_EQ(request(T_IN, SECTORS - 2, DATA, 1024), S_OK, "the last two");
    EXPECT_EQ(request(T_IN, 0, DATA, 511), S_IOERR, "no whole sector");
    EXPECT_EQ(request(T_IN, 0, 0, 0), S_OK, "nothing");
    EXPECT_EQ(request(T_IN, SECTORS + 1, 0, 0), S_IOERR, "nothing, outside");
    EXPECT_EQ(request(99, 0, DATA, 512), S_UNSUPP, "unknown");
    EXPECT_EQ(request(~0u, 0, DATA, 512), S_UNSUPP, "unknown");
}

TEST(read_only)
{
    disk->dev.read_only = true;
    driver_start(&d, ALL, RINGS);
    EXPECT_EQ(request(T_OUT, 0, DATA, 512), S_IOERR, "write");
    EXPECT_EQ(request(T_WRITE_ZEROES, 0, DATA, 16), S_IOERR, "zeroes");
    EXPECT_EQ(request(T_IN, 0, DATA, 512), S_OK, "read");
    EXPECT_EQ(disk->n_submitted, 1, "requests");
}

TEST(id)
{
    driver_start(&d, ALL, RINGS);
    for (u32 len = 1; len <= 24; len++) {
        memset((void *)ram(DATA), 0x55, 32);
        EXPECT_EQ(request(T_GET_ID, 0, DATA, len), S_OK, "%u", len);
        for (u32 i = 0; i < 32; i++)
            EXPECT_EQ(byte_at(DATA + i), i < len && i < 20 ? (u8)disk->dev.id[i] : 0x55, "%u of %u",
                      i, len);
    }
    EXPECT_EQ(request(T_GET_ID, 0, 0, 0), S_OK, "no room");
}

static u8 extent(u32 type, u64 sector, u32 n, u32 flags, u32 len)
{
    struct {
        u64 sector;
        u32 n, flags;
    } e = { sector, n, flags };

    assert_true(gmem_write(&r->vm, gpa(DATA), &e, sizeof e));
    return request(type, 0, DATA, len);
}

TEST(discard_and_zeroes)
{
    driver_start(&d, ALL, RINGS);
    EXPECT_EQ(extent(T_WRITE_ZEROES, 10, 2, 0, 16), S_OK, "zeroes");
    EXPECT_EQ(disk->data[10 * 512] | disk->data[12 * 512 - 1], 0, "they are");
    EXPECT_EQ(disk->data[12 * 512], (u8)(12 * 512 * 7 + 12), "the next is not");
    EXPECT_EQ(extent(T_WRITE_ZEROES, 10, 2, 1, 16), S_OK, "unmap");
    EXPECT_EQ(extent(T_WRITE_ZEROES, 10, 2, 2, 16), S_UNSUPP, "unknown flag");
    EXPECT_EQ(extent(T_DISCARD, 20, 2, 0, 16), S_OK, "discard");
    EXPECT_EQ(extent(T_DISCARD, 20, 2, 1, 16), S_UNSUPP, "with unmap");
    EXPECT_EQ(extent(T_DISCARD, SECTORS - 1, 2, 0, 16), S_IOERR, "outside");
    EXPECT_EQ(extent(T_DISCARD, ~0ul, 2, 0, 16), S_IOERR, "outside");
    EXPECT_EQ(extent(T_DISCARD, 0, (1 << 20) + 1, 0, 16), S_IOERR, "too many");
    for (u32 len = 0; len < 40; len++)
        EXPECT_EQ(extent(T_DISCARD, 20, 2, 0, len), len == 16 ? S_OK : S_UNSUPP, "%u bytes", len);
    disk->dev.discard_max = 0;
    EXPECT_EQ(extent(T_DISCARD, 20, 2, 0, 16), S_UNSUPP, "it cannot");
}

TEST(errors_from_below)
{
    u32 head, len;

    driver_start(&d, ALL, RINGS);
    for (u32 s = BLK_OK; s <= BLK_UNSUPPORTED; s++) {
        u8 want = s == BLK_OK ? S_OK : s == BLK_UNSUPPORTED ? S_UNSUPP : S_IOERR;

        offer(0, T_IN, 0, DATA, 512);
        driver_notify(&d);
        ramdisk_finish(disk, 0, s);
        kicks();
        assert_true(driver_used(&d, &head, &len));
        EXPECT_EQ(byte_at(STATUS(0)), want, "done with %u", s);
        disk->refuse = s;
        if (s != BLK_OK)
            EXPECT_EQ(request(T_IN, 0, DATA, 512), want, "refused with %u", s);
        disk->refuse = BLK_OK;
    }
}

// A write that fails, a flush that fails; and for a driver that cannot flush the flush that follows
// a write which did not fail.
TEST(errors_of_writes_and_flushes)
{
    static const u32 types[] = { T_OUT, T_FLUSH };
    u32              head, len;

    driver_start(&d, ALL, RINGS);
    for (u32 i = 0; i < 2; i++) {
        offer(0, types[i], 0, DATA, types[i] == T_OUT ? 512 : 0);
        driver_notify(&d);
        ramdisk_finish(disk, 0, BLK_IO_ERROR);
        kicks();
        assert_true(driver_used(&d, &head, &len));
        EXPECT_EQ(byte_at(STATUS(0)), S_IOERR, "type %u", types[i]);
    }
    driver_start(&d, ALL & ~F_FLUSH, RINGS);
    for (u32 flush = 0; flush < 2; flush++) {
        offer(0, T_OUT, 0, DATA, 512);
        driver_notify(&d);
        if (flush) {
            ramdisk_finish(disk, 0, BLK_OK);
            kicks();
            EXPECT_EQ(byte_at(STATUS(0)), NO_STATUS, "it waits for the flush");
        }
        ramdisk_finish(disk, 0, BLK_IO_ERROR);
        kicks();
        EXPECT_EQ(disk->n_waiting, 0, "nothing follows what has failed");
        assert_true(driver_used(&d, &head, &len));
        EXPECT_EQ(byte_at(STATUS(0)), S_IOERR, "flush %u", flush);
    }
}

// A driver that has not accepted FLUSH relies on what was written being there.
TEST(writes_through_for_who_cannot_flush)
{
    driver_start(&d, ALL & ~F_FLUSH, RINGS);
    EXPECT_EQ(request(T_OUT, 3, DATA, 512), S_OK, "write");
    EXPECT_EQ(disk->n_flushed, 1, "flushed before it was told");
    EXPECT_EQ(request(T_IN, 3, DATA, 512), S_OK, "read");
    EXPECT_EQ(disk->n_flushed, 1, "not for a read");
    EXPECT_EQ(extent(T_WRITE_ZEROES, 10, 2, 0, 16), S_OK, "zeroes");
    EXPECT_EQ(disk->n_flushed, 2, "they are written, too");
    EXPECT_EQ(extent(T_DISCARD, 20, 2, 0, 16), S_OK, "discard");
    EXPECT_EQ(disk->n_flushed, 2, "nobody relies on what is given up");
    driver_start(&d, ALL, RINGS);
    EXPECT_EQ(request(T_OUT, 3, DATA, 512), S_OK, "write");
    EXPECT_EQ(disk->n_flushed, 2, "who can flush does");
}

// The flush that follows a write is a request of its own: without sectors, without pieces.
TEST(a_flush_has_nothing_of_its_write)
{
    driver_start(&d, ALL & ~F_FLUSH, RINGS);
    offer(0, T_OUT, 3, DATA, 4096);
    driver_notify(&d);
    ramdisk_finish_all(disk);
    kicks();
    EXPECT_EQ(disk->n_waiting, 1, "the flush");
    EXPECT_EQ(disk->waiting[0]->op, BLK_FLUSH, "it is one");
    EXPECT_EQ(disk->waiting[0]->sector, 0, "sector");
    EXPECT_EQ(disk->waiting[0]->n_sectors, 0, "sectors");
    EXPECT_EQ(disk->waiting[0]->n_segs, 0, "pieces");
}

// A request without data has nothing of what it was before, not even before a reset, after which the
// table that it had may be another's.
TEST(no_request_has_anothers_table)
{
    static const u32 types[] = { T_FLUSH, T_DISCARD, T_WRITE_ZEROES };

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        bool is_flush = types[i] == T_FLUSH;

        driver_start(&d, ALL, RINGS);
        offer(0, T_OUT, 3, DATA, 512);
        offer_table(3, T_OUT, 100, 20, false, false);
        driver_notify(&d);
        ramdisk_finish_all(disk);
        kicks();
        driver_start(&d, ALL, RINGS);
        memset((void *)ram(PIECE(0, 0)), (int)(0x40 + i), 1024 * 20);
        offer_table(0, T_OUT, 200, 20, false, false);
        assert_true(gmem_write(&r->vm, gpa(DATA + 0x100000), &(u64[2]){ 500, 8 }, 16));
        offer(1, types[i], 0, DATA + 0x100000, is_flush ? 0 : 16);
        driver_notify(&d);
        EXPECT_EQ(disk->n_waiting, 2, "both");
        EXPECT_EQ(!!disk->waiting[0]->table, true, "the write's");
        EXPECT_EQ(!!disk->waiting[1]->table, false, "type %u", types[i]);
        ramdisk_finish_all(disk);
        kicks();
        table_data_judge(0, 200, 20);
    }
}

// Many of them begin together: what was submitted is looked after once, by whoever found them.
TEST(flushes_begin_together)
{
    driver_start(&d, ALL & ~F_FLUSH, RINGS);
    for (u32 n = 0; n < 8; n++)
        offer(n, T_OUT, n, DATA, 512);
    driver_notify(&d);
    disk->n_looks = 0;
    disk->n_over  = 8;
    fake_hart.time = r->vm.bus.deadline;
    bus_tick(&r->vm.bus, fake_hart.time);
    EXPECT_EQ(disk->n_waiting, 8, "the flushes");
    for (u32 n = 0; n < 8; n++)
        EXPECT_EQ(disk->waiting[n]->more, true, "flush %u", n);
    while (r->vm.bus.deadline <= fake_hart.time)
        bus_tick(&r->vm.bus, fake_hart.time);
    assert_in_range(disk->n_looks, 2, 3); // one found them, one begins them
    ramdisk_finish_all(disk);
    kicks();
    EXPECT_EQ(disk->n_flushed, 8, "all");
}

TEST(no_place_for_header_or_status)
{
    for (u32 which = 0; which < 3; which++) {
        driver_start(&d, ALL, RINGS);
        driver_desc(&d, d.desc, 0, HEADERS, which ? 16 : 15, which < 2 ? 0 : DESC_WRITE, 0);
        if (!which)
            driver_desc(&d, d.desc, 0, HEADERS, 15, DESC_NEXT, 1);
        driver_desc(&d, d.desc, 1, DATA, 1, DESC_WRITE, 0);
        driver_offer(&d, 0);
        driver_notify(&d);
        EXPECT_EQ(driver_get(&d, V_STATUS), 0x4f, "NEEDS_RESET");
    }
}

// More chains than requests are free for wait in the ring, and none is lost or done twice, in
// whatever order the disk does them.
TEST(many_in_flight_in_any_order)
{
    u64  seed = 5;
    u32  head, len;
    bool seen[85] = { false };

    driver_start(&d, ALL, RINGS);
    for (u32 n = 0; n < 85; n++)
        offer(n, T_IN, n, DATA + 512 * n, 512);
    driver_notify(&d);
    for (u32 n_seen = 0; n_seen < 85;) {
        assert_true(disk->n_waiting && disk->n_waiting <= 64);
        ramdisk_finish(disk, (unsigned)dice_below(&seed, disk->n_waiting), BLK_OK);
        fake_hart.time++;
        kicks();
        bus_tick(&r->vm.bus, fake_hart.time);
        for (; driver_used(&d, &head, &len); n_seen++) {
            assert_true(head % 3 == 0 && head / 3 < 85 && !seen[head / 3]);
            seen[head / 3] = true;
            EXPECT_EQ(byte_at(STATUS(head / 3)), S_OK, "%u", head / 3);
            assert_memory_equal(ram(DATA + 512 * (head / 3)), disk->data + 512 * (head / 3), 512);
        }
    }
    EXPECT_EQ(disk->n_done, 85, "each once");
}

// Completions that come together are told together.
TEST(one_interrupt_for_many)
{
    driver_start(&d, ALL, RINGS);
    for (u32 n = 0; n < 8; n++)
        offer(n, T_IN, n, DATA, 512);
    driver_notify(&d);
    EXPECT_EQ(disk->n_waiting, 8, "all at once");
    ramdisk_finish_all(disk);
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 0, "not in the interrupt");
    kicks();
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 1, "told");
    driver_put(&d, V_ACK, 1);
    kicks();
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 0, "once");
}

static u16 used_event(void)
{
    u16 event;

    assert_true(gmem_read(&r->vm, gpa(d.used + 4 + 8ul * d.size), &event, 2));
    return event;
}

TEST(asks_to_be_notified)
{
    driver_start(&d, ALL, RINGS);
    offer(0, T_IN, 0, DATA, 512);
    driver_notify(&d);
    EXPECT_EQ(used_event(), 1, "of the next");
    for (u32 n = 1; n < 80; n++)
        offer(n, T_IN, 0, DATA, 512);
    driver_notify(&d);
    fake_hart.time++;
    bus_tick(&r->vm.bus, fake_hart.time);
    bus_tick(&r->vm.bus, ++fake_hart.time);
    bus_tick(&r->vm.bus, ++fake_hart.time);
    EXPECT_EQ(disk->n_waiting, 64, "no more free");
    EXPECT_EQ(used_event(), 1, "what waits is seen anyway");
    ramdisk_finish_all(disk);
    kicks();
    EXPECT_EQ(disk->n_waiting, 16, "the rest");
    while (disk->n_waiting) {
        EXPECT_EQ(used_event(), 1, "a disk that is busy looks itself");
        ramdisk_finish(disk, 0, BLK_OK);
        kicks();
    }
    EXPECT_EQ(used_event(), 1, "who was told of many may offer as many");
    fake_hart.time += machine.timebase_hz / 1000;
    bus_tick(&r->vm.bus, fake_hart.time);
    EXPECT_EQ(used_event(), 80, "who has not done so, of the next");
    EXPECT_EQ(r->vm.bus.patient, 0, "and nothing is held back");
}

// What is offered without a notification, when nothing is under way, is seen when the VM has nothing
// else to do.
TEST(what_follows_a_lot_is_seen_by_who_waits)
{
    driver_start(&d, ALL, RINGS);
    for (u32 n = 0; n < 8; n++)
        offer(n, T_IN, n, DATA, 512);
    driver_notify(&d);
    ramdisk_finish_all(disk);
    kicks();
    driver_put(&d, V_ACK, 1);
    for (u32 n = 8; n < 16; n++)
        offer(n, T_IN, n, DATA, 512);
    EXPECT_EQ(disk->n_waiting, 0, "not seen");
    vcpu_line_set(r->v, BIT(IRQ_SEI), false);
    (void)sched_wait(r->v);
    EXPECT_EQ(disk->n_waiting, 8, "seen");
}

// The device beneath need not interrupt for the requests of who computes, for we look in time; for
// those of who waits it must.
TEST(looks_by_itself_while_the_vm_computes)
{
    driver_start(&d, ALL, RINGS);
    offer(0, T_IN, 0, DATA, 512);
    driver_notify(&d);
    EXPECT_EQ(disk->n_looks, 1, "it begins");
    EXPECT_EQ(disk->patient, false, "one is waited for");
    for (u32 n = 1; n < 8; n++)
        offer(n, T_IN, n, DATA, 512);
    driver_notify(&d);
    EXPECT_EQ(disk->n_looks, 2, "all at once");
    EXPECT_EQ(disk->patient, true, "of many none");
    assert_true(r->vm.bus.deadline <= fake_hart.time + machine.timebase_hz / 1000);
    fake_hart.time = r->vm.bus.deadline;
    bus_tick(&r->vm.bus, fake_hart.time);
    EXPECT_EQ(disk->n_looks, 3, "in time");
    EXPECT_EQ(disk->patient, true, "and again");
    (void)sched_wait(r->v);
    EXPECT_EQ(disk->patient, false, "who waits");
    EXPECT_EQ(bus_is_quiet(&r->vm.bus), false, "under way");
    EXPECT_EQ(disk->patient, false, "and who wants to know that all is over");
}

// Nor while its VM asks again and again whether something is over, as one that waits for it does.
TEST(who_asks_again_and_again_needs_no_interrupt)
{
    struct bus *bus = &r->vm.bus;
    u32         which;

    driver_start(&d, ALL, RINGS);
    EXPECT_EQ(bus->awaited, 0, "nothing under way");
    offer(0, T_IN, 0, DATA, 512);
    driver_notify(&d);
    EXPECT_EQ(disk->patient, false, "it is waited for");
    which = bus_awaits(bus);
    assert_true(which && !bus_is_over(bus));
    r->v->waiting = true;
    bus->lingers  = true;
    bus_look(bus, which);
    EXPECT_EQ(disk->patient, true, "somebody asks");
    disk->n_over = 1;
    EXPECT_EQ(bus_is_over(bus), true, "there");
    EXPECT_EQ(byte_at(STATUS(0)), NO_STATUS, "not yet found");
    bus->lingers = false;
    bus_look(bus, which);
    EXPECT_EQ(byte_at(STATUS(0)), S_OK, "found");
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 1, "and told");
    EXPECT_EQ(disk->patient, false, "nobody asks any more");
    EXPECT_EQ(bus->awaited, 0, "nothing under way");
    offer(0, T_IN, 0, DATA, 512);
    driver_notify(&d);
    assert_true(bus->awaited);
    for (u32 n = 1; n < 8; n++)
        offer(n, T_IN, n, DATA, 512);
    driver_notify(&d);
    EXPECT_EQ(bus->awaited, 0, "of many nobody waits for each");
    ramdisk_finish_all(disk);
    driver_put(&d, V_STATUS, 0);
    EXPECT_EQ(bus->awaited, 0, "reset");
    driver_start(&d, ALL, RINGS);
    offer(0, T_IN, 0, DATA, 512);
    driver_notify(&d);
    assert_true(bus->awaited);
    ramdisk_finish_all(disk);
    driver_put(&d, V_STATUS, 0);
    EXPECT_EQ(bus->awaited, 0, "reset before it has looked");
}

// What is offered without a notification to a busy disk is seen with the next completion.
TEST(a_busy_disk_looks_itself)
{
    driver_start(&d, ALL, RINGS);
    for (u32 n = 0; n < 5; n++)
        offer(n, T_IN, n, DATA, 512);
    driver_notify(&d);
    EXPECT_EQ(disk->patient, true, "busy");
    offer(5, T_IN, 5, DATA, 512);
    EXPECT_EQ(disk->n_waiting, 5, "not seen");
    ramdisk_finish(disk, 2, BLK_OK);
    kicks();
    EXPECT_EQ(disk->n_waiting, 5, "seen");
}

// Linux makes two requests of 1 MiB in pages, and waits for both.
TEST(two_after_two_are_waited_for)
{
    driver_start(&d, ALL, RINGS);
    for (u32 turn = 0; turn < 8; turn++) {
        for (u32 n = 0; n < 2; n++)
            offer(n, T_IN, n, DATA, 512);
        driver_notify(&d);
        EXPECT_EQ(disk->patient, false, "turn %u", turn);
        EXPECT_EQ(disk->n_waiting, 2, "turn %u", turn);
        (void)sched_wait(r->v);
        ramdisk_finish_all(disk);
        kicks();
        r->v->waiting = false; // by the interrupt
    }
}

static void many_wait_of_who_waits(u32 n)
{
    driver_start(&d, ALL, RINGS);
    for (u32 i = 0; i < n; i++)
        offer(i, T_IN, i, DATA, 512);
    driver_notify(&d);
    fake_hart.time = r->vm.bus.deadline;
    (void)sched_wait(r->v);
    EXPECT_EQ(disk->patient, false, "it waits");
    bus_tick(&r->vm.bus, fake_hart.time);
    assert_true(r->vm.bus.deadline <= fake_hart.time + ticks_of_us(PATIENCE_MAX_US));
}

// Of many the device beneath interrupts for several; the first of them may be waited for.
TEST(who_waits_for_one_of_many_hears_of_it)
{
    many_wait_of_who_waits(8);
    disk->n_over   = 2;
    fake_hart.time = r->vm.bus.deadline;
    bus_tick(&r->vm.bus, fake_hart.time);
    EXPECT_EQ(disk->n_over, 0, "found");
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 1, "and told");
}

// What is over may be more than one look finds.
TEST(looks_again_after_others)
{
    driver_start(&d, ALL, RINGS);
    offer(0, T_IN, 0, DATA, 512);
    disk->has_more = true;
    driver_notify(&d);
    EXPECT_EQ(r->vm.bus.deadline, 0, "at once");
    disk->has_more = false;
    disk->n_over   = 1;
    bus_tick(&r->vm.bus, fake_hart.time);
    EXPECT_EQ(disk->n_over, 0, "found");
    assert_true(r->vm.bus.deadline > fake_hart.time);
}

// What was woken by something else may offer more, of which it does not notify.
TEST(who_was_woken_and_computes_is_looked_at)
{
    many_wait_of_who_waits(6);
    r->v->waiting = false;
    offer(6, T_IN, 6, DATA, 512);
    EXPECT_EQ(disk->n_waiting, 6, "not seen");
    fake_hart.time = r->vm.bus.deadline;
    bus_tick(&r->vm.bus, fake_hart.time);
    EXPECT_EQ(disk->n_waiting, 7, "seen");
    EXPECT_EQ(disk->patient, true, "and it will be looked at again");
    assert_true(r->vm.bus.deadline <= fake_hart.time + ticks_of_us(PATIENCE_MAX_US));
}

// A queue that nothing can come from any more is not looked at again and again.
TEST(a_broken_queue_is_left_alone)
{
    u32 ticks = 0;

    driver_start(&d, ALL, RINGS);
    for (u32 n = 0; n < 8; n++)
        offer(n, T_IN, n, DATA, 512);
    driver_notify(&d);
    driver_offer(&d, 0xffff);
    ramdisk_finish_all(disk);
    kicks();
    for (; r->vm.bus.deadline != ~0ul && ticks < 100; ticks++) {
        fake_hart.time = r->vm.bus.deadline;
        bus_tick(&r->vm.bus, fake_hart.time);
    }
    assert_true(driver_get(&d, V_STATUS) & VIRTIO_NEEDS_RESET);
    assert_true(ticks <= 2);
}

// A reset that waits for what is under way takes nothing more.
TEST(a_reset_begins_nothing)
{
    driver_start(&d, ALL, RINGS);
    offer(0, T_OUT, 3, DATA, 512);
    driver_notify(&d);
    offer(1, T_OUT, 4, DATA, 512);
    assert_false(rig_access(r, d.base + V_STATUS, 4, true, &(u64){ 0 }));
    driver_notify(&d);
    EXPECT_EQ(disk->n_waiting, 1, "what was under way");
    ramdisk_finish_all(disk);
    kicks();
    EXPECT_EQ(disk->n_waiting, 0, "and nothing else");
    driver_put(&d, V_STATUS, 0);
    EXPECT_EQ(driver_get(&d, V_STATUS), 0, "reset");
    driver_start(&d, ALL, RINGS);
    EXPECT_EQ(request(T_OUT, 3, DATA, 512), S_OK, "and it goes on");
}

// How many of `n` requests are done when the driver is first told; 0: it is not told of any.
static u32 told_after(u32 n)
{
    u32 done = 0;

    driver_start(&d, ALL, RINGS);
    for (u32 i = 0; i < n; i++)
        offer(i, T_IN, i, DATA, 512);
    driver_notify(&d);
    while (disk->n_waiting && !driver_get(&d, V_INTERRUPTS)) {
        ramdisk_finish(disk, 0, BLK_OK);
        kicks();
        done++;
    }
    done = driver_get(&d, V_INTERRUPTS) ? done : 0;
    ramdisk_finish_all(disk);
    kicks();
    return done;
}

// A VM that computes meanwhile is told in lots; one that waits, at once.
TEST(tells_in_lots_or_who_waits)
{
    for (u32 n = 1; n < 8; n++)
        EXPECT_EQ(told_after(n), 0, "%u of a lot", n);
    EXPECT_EQ(told_after(8), 8, "a lot");
    EXPECT_EQ(told_after(24), 8, "a lot of many");
    r->v->waiting = true;
    for (u32 n = 1; n < 24; n++)
        EXPECT_EQ(told_after(n), 1, "%u", n);
    r->v->waiting = false;
}

static void one_of_many_done(void)
{
    driver_start(&d, ALL, RINGS);
    bus_tick(&r->vm.bus, fake_hart.time);
    for (u32 i = 0; i < 16; i++)
        offer(i, T_IN, i, DATA, 512);
    driver_notify(&d);
    ramdisk_finish(disk, 0, BLK_OK);
    kicks();
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 0, "not yet");
}

TEST(tells_after_a_while)
{
    u32 head, len;

    one_of_many_done();
    assert_true(driver_used(&d, &head, &len));
    assert_true(r->vm.bus.deadline <= fake_hart.time + machine.timebase_hz / 1000);
    fake_hart.time = r->vm.bus.deadline;
    bus_tick(&r->vm.bus, fake_hart.time);
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 1, "after a while");
}

// Until then, with what the bus has to do on the way; is the driver told?
static bool told_until(u64 ticks)
{
    while (r->vm.bus.deadline <= ticks) {
        fake_hart.time = r->vm.bus.deadline;
        bus_tick(&r->vm.bus, fake_hart.time);
    }
    fake_hart.time = ticks;

    bool told = driver_get(&d, V_INTERRUPTS);

    driver_put(&d, V_ACK, 1);
    return told;
}

// One request after the other, `each` ticks apart, and each is done 3/4 of that later.
static u32 tells_of_a_stream(u32 n, u64 each)
{
    u32 tells = 0;

    for (u32 i = 0; i < n; i++) {
        offer(i % 16, T_IN, i % 16, DATA, 512);
        driver_notify(&d);
        tells += told_until(fake_hart.time + each * 3 / 4);
        ramdisk_finish_all(disk);
        kicks();
        tells += told_until(fake_hart.time + each / 4);
    }
    return tells;
}

// Large requests of a driver that is busy with the next ones: an interrupt for several.
TEST(who_goes_on_is_told_of_several)
{
    u64 each = machine.timebase_hz / 1000000 * 500;
    u32 tells;

    driver_start(&d, ALL & ~VIRTIO_F_EVENT_IDX, RINGS); // it is told each time
    (void)tells_of_a_stream(16, each);
    tells = tells_of_a_stream(64, each);
    assert_true(tells >= 64 / 8 && tells <= 64 / 3);
}

// One that offers the next request when it was told of the last, beside a process that computes: of
// so many, how many it is told of later than others.
static u32 told_late(u32 n)
{
    u32 late = 0;

    for (u32 i = 0; i < n; i++) {
        offer(i % 16, T_IN, i % 16, DATA, 512);
        driver_notify(&d);
        ramdisk_finish_all(disk);
        kicks();
        if (!told_until(fake_hart.time + ticks_of_us(PATIENCE_MIN_US))) {
            assert_true(
                told_until(fake_hart.time + ticks_of_us(PATIENCE_MAX_US - PATIENCE_MIN_US)));
            late++;
        }
    }
    return late;
}

TEST(who_waits_is_told_soon)
{
    driver_start(&d, ALL & ~VIRTIO_F_EVENT_IDX, RINGS); // it is told each time
    (void)tells_of_a_stream(16, ticks_of_us(500));
    EXPECT_EQ(told_late(8), 4, "it learns that what it took for a stream is none");
    assert_true(told_late(56) <= 3);
    assert_true(told_late(640) <= 10);
}

// The device beneath need not interrupt for one who goes on, few as it has under way.
TEST(who_goes_on_needs_no_interrupt)
{
    driver_start(&d, ALL & ~VIRTIO_F_EVENT_IDX, RINGS); // it is told each time
    EXPECT_EQ(disk->patient, false, "nobody knows");
    (void)tells_of_a_stream(16, ticks_of_us(2000)); // it is told of one or two
    offer(0, T_IN, 0, DATA, 512);
    driver_notify(&d);
    EXPECT_EQ(disk->n_waiting, 1, "one");
    EXPECT_EQ(disk->patient, true, "and another will come");
    assert_true(r->vm.bus.deadline <= fake_hart.time + ticks_of_us(PATIENCE_MAX_US));
    (void)sched_wait(r->v);
    EXPECT_EQ(disk->patient, false, "if not");
}

// One that polls makes its next offer when it sees the last one done: it needs that seen at once.
TEST(who_polls_is_not_taken_for_one_who_goes_on)
{
    driver_start(&d, ALL & ~VIRTIO_F_EVENT_IDX, RINGS);
    (void)tells_of_a_stream(16, ticks_of_us(2000));
    assert_true(gmem_write(&r->vm, gpa(d.avail), &(u16){ VRING_NO_INTERRUPT }, 2));
    offer(0, T_IN, 0, DATA, 512);
    driver_notify(&d);
    EXPECT_EQ(disk->n_waiting, 1, "one");
    EXPECT_EQ(disk->patient, false, "which it looks for");
    for (u32 n = 1; n < 8; n++)
        offer(n, T_IN, n, DATA, 512);
    driver_notify(&d);
    EXPECT_EQ(disk->n_waiting, 8, "many");
    EXPECT_EQ(disk->patient, false, "and for these too");
}

// wfi: what was held back comes, and the guest goes on.
TEST(tells_who_begins_to_wait)
{
    one_of_many_done();
    vcpu_line_set(r->v, BIT(IRQ_SEI), false);
    (void)sched_wait(r->v);
    EXPECT_EQ(driver_get(&d, V_INTERRUPTS), 1, "told");
}

// A turn's work is bounded, whatever the ring holds.
TEST(a_turn_is_bounded)
{
    driver_start(&d, ALL, RINGS);
    for (u32 n = 0; n < 85; n++)
        offer(n, 99, 0, DATA, 512);
    driver_notify(&d);

    u32 head, len, first = 0, all = 0;

    while (driver_used(&d, &head, &len))
        first++;
    assert_true(first && first < 40);
    for (all = first; r->vm.bus.deadline != ~0ul; bus_tick(&r->vm.bus, ++fake_hart.time))
        while (driver_used(&d, &head, &len))
            all++;
    while (driver_used(&d, &head, &len))
        all++;
    EXPECT_EQ(all, 85, "all in the end");
}

// How many requests of `len` bytes are done in a second by a driver that always offers more.
static u32 in_a_second(u32 len)
{
    u32 done = 0, head, told;

    driver_start(&d, ALL, RINGS);
    for (u32 n = 0; n < 64; n++)
        offer(n, T_IN, 0, DATA, len);
    driver_notify(&d);
    for (u64 end = fake_hart.time + machine.timebase_hz; fake_hart.time < end;) {
        ramdisk_finish_all(disk);
        kicks();
        for (; driver_used(&d, &head, &told); done++)
            driver_offer(&d, (u16)head);
        driver_notify(&d);
        fake_hart.time += machine.timebase_hz / 10000;
        bus_tick(&r->vm.bus, fake_hart.time);
    }
    ramdisk_finish_all(disk);
    return done;
}

static void limit_expect(struct io_limits l, u32 len, u32 want)
{
    u32 n;

    assert_int_equal(teardown(NULL), 0);
    world_make(l);
    fake_hart.time = 10 * machine.timebase_hz;
    n              = in_a_second(len);
    if (n < want - want / 50 || n > want + want / 15)
        fail_msg("%u requests of %u bytes, not %u", n, len, want);
}

TEST(limits)
{
    limit_expect((struct io_limits){ 1000, 0 }, 512, 1000);
    limit_expect((struct io_limits){ 0, 1 << 20 }, 4096, 255);
    limit_expect((struct io_limits){ 100, 1 << 20 }, 512, 100);
    limit_expect((struct io_limits){ 1000, 1 << 20 }, 8192, 128);
}

// What is zeroed is written, though the guest sends but 16 bytes.  What is given up is not.
TEST(zeroes_are_bytes_to_the_limit)
{
    struct {
        u64 sector;
        u32 n, flags;
    } e = { 0, 512, 0 };

    for (unsigned zeroes = 0; zeroes < 2; zeroes++) {
        assert_int_equal(teardown(NULL), 0);
        world_make((struct io_limits){ 0, 1 << 19 });
        fake_hart.time = 10 * machine.timebase_hz;
        driver_start(&d, ALL, RINGS);
        assert_true(gmem_write(&r->vm, gpa(DATA), &e, sizeof e));
        for (u32 n = 0; n < 5; n++)
            offer(n, zeroes ? T_WRITE_ZEROES : T_DISCARD, 0, DATA, sizeof e);
        driver_notify(&d);
        EXPECT_EQ(disk->n_submitted, zeroes ? 1 : 5, "half a second's worth each, zeroes %u", zeroes);
        for (u64 end = fake_hart.time + machine.timebase_hz; fake_hart.time < end;) {
            fake_hart.time += machine.timebase_hz / 100;
            bus_tick(&r->vm.bus, fake_hart.time);
        }
        EXPECT_EQ(disk->n_submitted, zeroes ? 3 : 5, "a second later, zeroes %u", zeroes);
    }
}

// A reset does not give a guest a new second.
TEST(limits_outlive_a_reset)
{
    assert_int_equal(teardown(NULL), 0);
    world_make((struct io_limits){ 1000, 0 });
    fake_hart.time = 10 * machine.timebase_hz;
    for (u32 n = 0; n < 500; n++) {
        driver_start(&d, ALL, RINGS);
        offer(0, T_IN, 0, DATA, 512);
        driver_notify(&d);
        ramdisk_finish_all(disk);
    }
    assert_true(disk->n_submitted <= 25);
}

// What is over when the driver takes the queue back may still have to be flushed: it is not taken
// before that.
TEST(a_queue_is_taken_back_after_the_flush)
{
    u32 head, len;

    driver_start(&d, ALL & ~F_FLUSH, RINGS);
    offer(0, T_OUT, 3, DATA, 512);
    driver_notify(&d);
    ramdisk_finish(disk, 0, BLK_OK);
    assert_false(rig_access(r, d.base + V_READY, 4, true, &(u64){ 0 }));
    EXPECT_EQ(driver_get(&d, V_READY), 1, "the flush is under way");
    EXPECT_EQ(disk->n_waiting, 1, "the flush");
    ramdisk_finish_all(disk);
    driver_put(&d, V_READY, 0);
    EXPECT_EQ(driver_get(&d, V_READY), 0, "taken back");
    assert_true(driver_used(&d, &head, &len));
    EXPECT_EQ(byte_at(STATUS(0)), S_OK, "status");
}

// A VM that does not run has perhaps no RAM any more: its rings lie in somebody else's.
static void not_running_expect(enum vm_state state)
{
    u64 used;

    assert_int_equal(teardown(NULL), 0);
    world_make((struct io_limits){ 100, 0 });
    fake_hart.time = 10 * machine.timebase_hz;
    driver_start(&d, ALL, RINGS);
    for (u32 n = 0; n < 50; n++)
        offer(n, T_IN, 0, DATA, 512);
    driver_notify(&d);
    ramdisk_finish_all(disk);
    assert_in_range(disk->n_done, 1, 49);
    used = rig_word(r, d.used);
    vm_state_set(&r->vm, state);
    fake_hart.time += machine.timebase_hz;
    timer_check(r->v);
    EXPECT_EQ(disk->n_waiting, 0, "nothing begins");
    EXPECT_EQ(rig_word(r, d.used), used, "nothing is written");
    vm_state_set(&r->vm, VM_RUNNING);
    timer_check(r->v);
    assert_true(disk->n_waiting > 0);
}

TEST(time_does_not_come_for_a_vm_that_does_not_run)
{
    not_running_expect(VM_OFF);
    not_running_expect(VM_STOPPED);
    not_running_expect(VM_PAUSED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(configuration),
        RUN_ON_RIG(limits_of_the_device_beneath),
        RUN_ON_RIG(reads_and_writes),
        RUN_ON_RIG(any_framing),
        RUN_ON_RIG(a_long_chain_is_a_table_for_the_device),
        RUN_ON_RIG(many_tables_in_flight),
        RUN_ON_RIG(outside_the_disk),
        RUN_ON_RIG(read_only),
        RUN_ON_RIG(id),
        RUN_ON_RIG(discard_and_zeroes),
        RUN_ON_RIG(errors_from_below),
        RUN_ON_RIG(errors_of_writes_and_flushes),
        RUN_ON_RIG(writes_through_for_who_cannot_flush),
        RUN_ON_RIG(a_flush_has_nothing_of_its_write),
        RUN_ON_RIG(no_request_has_anothers_table),
        RUN_ON_RIG(flushes_begin_together),
        RUN_ON_RIG(no_place_for_header_or_status),
        RUN_ON_RIG(many_in_flight_in_any_order),
        RUN_ON_RIG(one_interrupt_for_many),
        RUN_ON_RIG(asks_to_be_notified),
        RUN_ON_RIG(what_follows_a_lot_is_seen_by_who_waits),
        RUN_ON_RIG(looks_by_itself_while_the_vm_computes),
        RUN_ON_RIG(who_asks_again_and_again_needs_no_interrupt),
        RUN_ON_RIG(a_busy_disk_looks_itself),
        RUN_ON_RIG(two_after_two_are_waited_for),
        RUN_ON_RIG(who_waits_for_one_of_many_hears_of_it),
        RUN_ON_RIG(looks_again_after_others),
        RUN_ON_RIG(who_was_woken_and_computes_is_looked_at),
        RUN_ON_RIG(a_broken_queue_is_left_alone),
        RUN_ON_RIG(a_reset_begins_nothing),
        RUN_ON_RIG(tells_in_lots_or_who_waits),
        RUN_ON_RIG(tells_after_a_while),
        RUN_ON_RIG(who_goes_on_is_told_of_several),
        RUN_ON_RIG(who_waits_is_told_soon),
        RUN_ON_RIG(who_goes_on_needs_no_interrupt),
        RUN_ON_RIG(who_polls_is_not_taken_for_one_who_goes_on),
        RUN_ON_RIG(tells_who_begins_to_wait),
        RUN_ON_RIG(a_turn_is_bounded),
        RUN_ON_RIG(limits),
        RUN_ON_RIG(zeroes_are_bytes_to_the_limit),
        RUN_ON_RIG(limits_outlive_a_reset),
        RUN_ON_RIG(a_queue_is_taken_back_after_the_flush),
        RUN_ON_RIG(time_does_not_come_for_a_vm_that_does_not_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

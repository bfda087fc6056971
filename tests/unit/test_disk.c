// SPDX-License-Identifier: MIT
// A disk and its users: what is let in, whose turn it is, what a flush means, who gets an error.
#include "dev/disk.h"
#include "dev/machine.h"

#include "dev/bucket.h"
#include "dev/disk_queue.h"
#include "lib/bits.h"
#include "rig/disk.h"
#include "rig/mmio.h"
#include "rig/tables.h"
#include "rig/trees.h"
#include "unit.h"

#define BLOCKS   8192ul
#define DEPTH    8
#define PAGE_SEC (PAGE_SIZE / SECTOR_SIZE)

static u8 image[BLOCKS * SECTOR_SIZE];

// A driver that does what it was given when the test says so.
static struct {
    struct disk_chip chip;
    bool             serves;     // at once
    bool             is_instant; // what it was given is over when somebody asks
    struct blkreq   *has[256], *over[256];
    unsigned         n, n_over, n_kicks, n_most;
} card;

static bool card_put(void *chip, struct blkreq *r)
{
    (void)chip;
    assert_true(card.n < card.chip.depth);
    card.has[card.n++] = r;
    card.n_most        = card.n > card.n_most ? card.n : card.n_most;
    return true;
}

static void finish(unsigned i, enum blk_status status)
{
    struct blkreq *r = card.has[i];

    assert_true(i < card.n);
    memmove(card.has + i, card.has + i + 1, (--card.n - i) * sizeof *card.has);
    r->status                = status;
    card.over[card.n_over++] = r;
}

static void card_kick(void *chip)
{
    (void)chip;
    card.n_kicks++;
    while (card.serves && card.n) {
        struct blkreq *r = card.has[0];

        memcpy((void *)r->segs[0].at.a, image + r->sector * SECTOR_SIZE, r->segs[0].len);
        finish(0, BLK_OK);
    }
}

static struct blkreq *card_take(void *chip)
{
    struct blkreq *r;

    (void)chip;
    if (card.is_instant && card.n)
        finish(0, BLK_OK);
    r = card.n_over ? card.over[0] : NULL;
    if (r)
        memmove(card.over, card.over + 1, --card.n_over * sizeof *card.over);
    return r;
}

static bool card_is_over(const void *chip)
{
    (void)chip;
    return card.n_over;
}

static void card_end(void *chip)
{
    (void)chip;
    card.chip.dead = true;
    while (card.n)
        finish(0, BLK_IO_ERROR);
}

static const struct disk_ops card_ops = { card_put, card_kick, card_take, card_is_over, card_end };

static char     said[2000];
static unsigned n_said;

static void say(const char *who, const char *what)
{
    n_said++;
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s: %s\n", who, what);
}

static const struct table_part parts[] = { { 100, 1099, "alpha" }, { 2000, 3999, "beta" },
                                           { 4000, 4007, "twin" }, { 4008, 4015, "twin" },
                                           { 5000, 5009, "cross" }, { 5009, 5019, "wise" } };

static void disk_make(bool read_only)
{
    bench_reset();
    machine_forget();
    machine.timebase_hz = 10000000;
    machine.n_ram       = 1;
    machine.ram[0]      = (struct range){ (u64)ram_make(4 * MIB), 4 * MIB };
    disk_forget();
    memset(&card, 0, sizeof card);
    said[0] = 0, n_said = 0;
    card.serves = true;
    card.chip   = (struct disk_chip){ .ops   = &card_ops,
                                      .name  = "card",
                                      .depth = DEPTH,
                                      .shape = { .n_sectors   = BLOCKS,
                                                 .block_size  = SECTOR_SIZE,
                                                 .segs_max    = 4,
                                                 .sectors_max = 8192,
                                                 .discard_max = 500,
                                                 .zeroes_max  = 600,
                                                 .read_only   = read_only,
                                                 .has_flush   = true } };
    assert_true(disk_add(&card.chip));
}

static int setup(void **state)
{
    (void)state;
    gpt_make(image, SECTOR_SIZE, BLOCKS, parts, ARRAY_LEN(parts), 128, 128);
    disk_make(false);
    disks_start(say);
    card.serves = false;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    disk_forget();
    ram_free();
    return 0;
}

static struct blkdev *must_open(const char *name, u32 weight)
{
    struct blkdev *d   = NULL;
    const char    *why = disk_open(name, false, weight, &d);

    if (why)
        fail_msg("%s: %s", name, why);
    return d;
}

// --- requests of the test ---

struct job {
    struct blkreq   r;
    struct seg      seg;
    struct blkdev  *d;
    unsigned        n_done;
    enum blk_status status;
    bool            again; // it is submitted again when it is done
    u64             sector;
    u64            *count;
};

static void submit(struct job *j);

static void job_done(struct blkreq *r, enum blk_status status)
{
    struct job      *j = CONTAINER_OF(r, struct job, r);
    struct disk_info i;

    assert_true(disk_info(0, &i)); // the lock is free
    j->n_done++;
    j->status = status;
    if (j->count)
        ++*j->count;
    if (j->again)
        submit(j);
}

static enum blk_status job_try(struct job *j, struct blkdev *d, enum blk_op op, u64 sector, u64 n)
{
    *j = (struct job){ .seg    = { .at = hpa(0x1000), .len = (u32)(n * SECTOR_SIZE) },
                       .d      = d,
                       .sector = sector };
    j->r = (struct blkreq){ .op = op, .sector = sector, .n_sectors = n, .segs = &j->seg, .n_segs = 1,
                            .done = job_done };
    return blk_submit(d, &j->r);
}

static void submit(struct job *j)
{
    j->r.sector = j->sector;
    EXPECT_EQ(blk_submit(j->d, &j->r), BLK_OK, "submit");
}

static void job_start(struct job *j, struct blkdev *d, enum blk_op op, u64 sector, u64 n)
{
    EXPECT_EQ(job_try(j, d, op, sector, n), BLK_OK, "op %d at %lu", (int)op, (unsigned long)sector);
    EXPECT_EQ(j->n_done, 0, "done() does not come from submit()");
}

// --- opening ---

TEST(partitions_are_listed)
{
    struct part_info p;
    struct disk_info d;
    unsigned         n = 0;

    assert_non_null(strstr(said, "table GPT, 6 partitions"));
    assert_non_null(strstr(said, "partition 5 (cross) overlaps another"));
    EXPECT_EQ(n_said, 3, "lines");
    for (; disk_part(n, &p); n++)
        assert_string_equal(p.part.label, parts[n].label);
    EXPECT_EQ(n, ARRAY_LEN(parts), "partitions");
    assert_true(disk_info(0, &d) && !disk_info(1, &d));
    assert_string_equal(d.table, "GPT");
}

static void expect_no(const char *name, bool read_only, const char *word)
{
    struct blkdev *d   = NULL;
    const char    *why = disk_open(name, read_only, 100, &d);

    if (!why || !strstr(why, word) || !strstr(why, ";"))
        fail_msg("%s: \"%s\" does not speak of \"%s\"", name, why ? why : "", word);
    assert_null(d);
}

TEST(openings)
{
    struct blkdev *d = must_open("alpha", 100);

    EXPECT_EQ(d->first, 100, "first");
    EXPECT_EQ(d->n_sectors, 1000, "sectors");
    assert_memory_equal(d->id, "alpha", 6);
    expect_no("nothing", false, "no disk has");
    expect_no("", false, "no disk has");
    expect_no("#", false, "no disk has");
    expect_no("#0", false, "no disk has");
    expect_no("#2x", false, "no disk has");
    expect_no("#4294967298", false, "no disk has");
    expect_no("twin", false, "several");
    expect_no("cross", true, "cannot be used");
    expect_no("alpha", true, "another VM");
    expect_no("#1", false, "another VM");
    expect_no("01112131-4151-6171-8191-a1b1c1d1e1f1", false, "no disk has");
    EXPECT_EQ(must_open("#3", 1)->first, 4000, "by number");
    EXPECT_EQ(must_open("33231303-5343-7363-8393-A3B3C3D3E3F3", 1)->first, 4008, "by id");
    assert_null(disk_open("beta", true, 100, &d));
    assert_true(d->read_only);
    assert_null(disk_open("beta", true, 100, &d));
    expect_no("beta", false, "another VM");
}

TEST(disks_that_cannot_be_opened)
{
    struct blkdev *d;

    teardown(NULL);
    disk_make(true);
    disks_start(say);
    expect_no("alpha", false, "cannot be written");
    assert_null(disk_open("alpha", true, 100, &d));
    card.chip.dead = true;
    expect_no("beta", true, "does not answer");
    disk_forget();
    expect_no("alpha", false, "the machine has none");
}

TEST(there_is_room_for_as_many_users_as_vms)
{
    struct blkdev *d;

    for (int i = 0; i < 64; i++)
        assert_null(disk_open("beta", true, 100, &d));
    d = NULL;
    expect_no("beta", true, "too many");
}

// --- what is let in ---

TEST(sectors_are_the_disks)
{
    struct blkdev *a = must_open("alpha", 100), *b = must_open("beta", 100);
    struct job     j, k;

    job_start(&j, a, BLK_WRITE, 999, 1);
    job_start(&k, b, BLK_READ, 0, 2000);
    EXPECT_EQ(card.has[0]->sector, 1099, "the last of alpha");
    EXPECT_EQ(card.has[1]->sector, 2000, "the first of beta");
}

static const struct {
    enum blk_op     op;
    u64             sector, n;
    enum blk_status want;
} requests[] = {
    { BLK_READ, 0, 1000, BLK_OK },
    { BLK_READ, 0, 1001, BLK_BAD_RANGE },
    { BLK_READ, 1, 1000, BLK_BAD_RANGE },
    { BLK_READ, 999, 1, BLK_OK },
    { BLK_READ, 999, 2, BLK_BAD_RANGE },
    { BLK_READ, 1000, 1, BLK_BAD_RANGE },
    { BLK_READ, 1000, 0, BLK_BAD_RANGE },
    { BLK_READ, 0, 0, BLK_BAD_RANGE },
    { BLK_WRITE, ~0ul, 1, BLK_BAD_RANGE },
    { BLK_WRITE, ~0ul, 2, BLK_BAD_RANGE },
    { BLK_WRITE, ~0ul - 99, 100, BLK_BAD_RANGE }, // to the disk's first sector, if sums wrapped
    { BLK_WRITE, ~0ul - 99, 101, BLK_BAD_RANGE },
    { BLK_WRITE, 1ul << 63, 1, BLK_BAD_RANGE },
    { BLK_WRITE, 1, ~0ul, BLK_BAD_RANGE },
    { BLK_WRITE, 1ul << 55, 1, BLK_BAD_RANGE }, // 2^64 bytes
    { BLK_DISCARD, 0, 500, BLK_OK },
    { BLK_DISCARD, 0, 501, BLK_BAD_RANGE },
    { BLK_DISCARD, 999, 2, BLK_BAD_RANGE },
    { BLK_WRITE_ZEROES, 400, 600, BLK_OK },
    { BLK_WRITE_ZEROES, 401, 600, BLK_BAD_RANGE },
    { BLK_WRITE_ZEROES, 0, 601, BLK_BAD_RANGE },
    { BLK_FLUSH, ~0ul, ~0ul, BLK_OK },
};

TEST(bounds)
{
    struct blkdev   *d = must_open("alpha", 100);
    struct disk_user u;
    unsigned         n_refused = 0;

    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct job j;

        EXPECT_EQ(job_try(&j, d, requests[i].op, requests[i].sector, requests[i].n),
                  requests[i].want, "case %zu", i);
        n_refused += requests[i].want != BLK_OK;
        EXPECT_EQ(card.n, requests[i].want == BLK_OK, "case %zu", i);
        if (card.n)
            finish(0, BLK_OK);
        disk_interrupt(card.chip.disk);
        EXPECT_EQ(j.n_done, requests[i].want == BLK_OK, "case %zu", i);
    }
    assert_true(disk_user(0, &u));
    EXPECT_EQ(u.errors, n_refused, "errors");
}

TEST(segments_hold_what_the_request_says)
{
    struct blkdev *d       = must_open("alpha", 100);
    struct seg     segs[5] = { { .at = hpa(0), .len = 512 }, { .at = hpa(0), .len = 512 }, { .at = hpa(0), .len = 512 }, { .at = hpa(0), .len = 512 },
                               { .at = hpa(0), .len = 512 } };
    struct blkreq  r       = { .op = BLK_WRITE, .segs = segs, .done = job_done };

    for (u32 n = 0; n <= 5; n++)
        for (u64 sectors = 0; sectors <= 5; sectors++) {
            r.sector = 0, r.n_segs = n, r.n_sectors = sectors;
            EXPECT_EQ(blk_submit(d, &r), n && n == sectors && n <= 4 ? BLK_OK : BLK_BAD_RANGE,
                      "%u segments for %lu sectors", n, (unsigned long)sectors);
            card.n = 0;
        }
    segs[0].len = 511, segs[1].len = 514; // one more than two sectors
    r.n_segs = 2, r.n_sectors = 2, r.sector = 0;
    EXPECT_EQ(blk_submit(d, &r), BLK_BAD_RANGE, "a byte more");
}

TEST(whole_blocks_only)
{
    struct blkdev *d;
    struct job     j;

    teardown(NULL);
    gpt_make(image, 4096, BLOCKS / 8, (struct table_part[]){ { 100, 199, "big" } }, 1, 128, 128);
    disk_make(false);
    card.chip.shape.block_size = 4096;
    disks_start(say);
    card.serves = false;
    d           = must_open("big", 100);
    EXPECT_EQ(d->first, 800, "in sectors");
    EXPECT_EQ(job_try(&j, d, BLK_READ, 4, 8), BLK_BAD_RANGE, "begins inside of a block");
    EXPECT_EQ(job_try(&j, d, BLK_READ, 8, 4), BLK_BAD_RANGE, "ends inside of a block");
    EXPECT_EQ(job_try(&j, d, BLK_DISCARD, 8, 1), BLK_BAD_RANGE, "discards a part of one");
    EXPECT_EQ(job_try(&j, d, BLK_READ, 792, 8), BLK_OK, "the last one");
}

TEST(read_only)
{
    struct blkdev *d;
    struct job     j;

    assert_null(disk_open("alpha", true, 100, &d));
    EXPECT_EQ(job_try(&j, d, BLK_WRITE, 0, 1), BLK_READ_ONLY, "write");
    EXPECT_EQ(job_try(&j, d, BLK_DISCARD, 0, 1), BLK_READ_ONLY, "discard");
    EXPECT_EQ(job_try(&j, d, BLK_WRITE_ZEROES, 0, 1), BLK_READ_ONLY, "zeroes");
    EXPECT_EQ(card.n, 0, "nothing reaches the disk");
    EXPECT_EQ(job_try(&j, d, BLK_READ, 0, 1), BLK_OK, "read");
}

TEST(what_the_disk_cannot)
{
    struct blkdev *d;
    struct job     j;

    card.chip.shape.has_flush   = false;
    card.chip.shape.discard_max = card.chip.shape.zeroes_max = 0;

    d = must_open("alpha", 100);
    EXPECT_EQ(job_try(&j, d, BLK_FLUSH, 0, 0), BLK_UNSUPPORTED, "flush");
    EXPECT_EQ(job_try(&j, d, BLK_DISCARD, 0, 1), BLK_UNSUPPORTED, "discard");
    EXPECT_EQ(job_try(&j, d, BLK_WRITE_ZEROES, 0, 1), BLK_UNSUPPORTED, "zeroes");
}

// --- turns ---

#define CROWD 40
static struct job crowd[4][CROWD];
static u64        counts[4];

static void flood_of(unsigned who, struct blkdev *d, enum blk_op op, u64 n_sectors)
{
    counts[who] = 0;
    for (int i = 0; i < CROWD; i++) {
        job_start(&crowd[who][i], d, op, 0, n_sectors);
        crowd[who][i].again = true;
        crowd[who][i].count = &counts[who];
    }
}

static void flood(unsigned who, struct blkdev *d, u64 n_sectors)
{
    flood_of(who, d, BLK_READ, n_sectors);
}

static void run(unsigned n)
{
    for (; n; n--) {
        finish(0, BLK_OK);
        disk_interrupt(card.chip.disk);
        assert_true(card.n <= card.chip.depth);
    }
}

static void expect_ratio(u64 a, u64 b, u64 want_percent)
{
    u64 percent = 100 * a / b;

    if (percent + 3 < want_percent || percent > want_percent + 3)
        fail_msg("%lu to %lu is %lu %%, not %lu", (unsigned long)a, (unsigned long)b,
                 (unsigned long)percent, (unsigned long)want_percent);
}

TEST(turns_by_weight)
{
    struct blkdev *a = must_open("alpha", 100), *b = must_open("beta", 300);

    flood(0, a, PAGE_SEC);
    flood(1, b, PAGE_SEC);
    run(8000);
    expect_ratio(counts[1], counts[0], 300);
    EXPECT_EQ(card.n_most, DEPTH, "the device is kept busy");
}

TEST(large_requests_cost_more)
{
    struct blkdev *a = must_open("alpha", 100), *b = must_open("beta", 100);

    flood(0, a, 8);
    flood(1, b, 656);
    run(8000);
    expect_ratio(counts[0], counts[1], 1000); // (656 + 64) / (8 + 64)
}

TEST(one_who_asks_seldom_is_next)
{
    struct blkdev *a = must_open("alpha", 1000), *b = must_open("beta", 1);
    struct job     j;

    flood(0, a, 64);
    run(1000);
    job_start(&j, b, BLK_READ, 7, 1);
    run(1);
    EXPECT_EQ(card.has[card.n - 1]->sector, 2007, "it is the next that the device gets");
    run(DEPTH);
    EXPECT_EQ(j.n_done, 1, "done");
}

TEST(who_was_idle_saves_up_nothing)
{
    struct blkdev *a = must_open("alpha", 100), *b = must_open("beta", 100);

    flood(0, a, PAGE_SEC);
    run(5000);
    counts[0] = 0;
    flood(1, b, PAGE_SEC);
    run(2000);
    expect_ratio(counts[0], counts[1], 100);
}

// Virtual time wraps, and an idle client's stands still.
TEST(who_was_idle_for_years_has_its_turn)
{
    struct blkdev *a = must_open("alpha", 100), *b = must_open("beta", 1);
    struct disk   *d = card.chip.disk;
    struct job     j;

    for (u64 years = 1; years; years <<= 1) {
        job_start(&j, a, BLK_READ, 0, 1);
        run(1);
        CONTAINER_OF(b, struct client, dev)->finish = d->now - years;
        flood(0, a, 64);
        job_start(&j, b, BLK_READ, 7, 1);
        run(1);
        EXPECT_EQ(card.has[card.n - 1]->sector, 2007, "%lx", (unsigned long)years);
        for (int i = 0; i < CROWD; i++)
            crowd[0][i].again = false;
        run(CROWD + 1);
        EXPECT_EQ(card.n, 0, "all");
    }
}

TEST(four_at_once)
{
    struct blkdev *d[4];
    u64            sum = 0;

    for (u32 i = 0; i < 4; i++) {
        assert_null(disk_open("beta", true, 100 * (i + 1), &d[i]));
        flood(i, d[i], PAGE_SEC);
    }
    run(20000);
    for (int i = 0; i < 4; i++)
        sum += counts[i];
    EXPECT_EQ(sum, 20000, "all that was done");
    for (u64 i = 1; i < 4; i++)
        expect_ratio(counts[i], counts[0], 100 * (i + 1));
}

// No more data is under way than the device does in a moment; what is larger than that goes alone.
TEST(data_under_way_is_bounded)
{
    struct blkdev *a = must_open("beta", 100);
    struct job     j[20];

    for (int i = 0; i < 20; i++)
        job_start(&j[i], a, BLK_READ, 0, 2000);
    EXPECT_EQ(card.n, DEPTH, "8 of 2000 sectors");
    teardown(NULL);
    setup(NULL);
    card.chip.depth = 64;

    a = must_open("beta", 100);
    for (int i = 0; i < 20; i++)
        job_start(&j[i], a, BLK_READ, 0, 2000);
    EXPECT_EQ(card.n, 16384 / 2000, "as many as 8 MiB hold");
    run(19);
    EXPECT_EQ(j[18].n_done, 1, "in order");
}

// Zeros take the device as long as data; what is given up takes its time as well, but not as long.
TEST(zeroes_under_way_are_bounded)
{
    struct blkdev *a = must_open("beta", 100);
    struct job     j[80];

    for (int discard = 0; discard < 2; discard++) {
        card.chip.depth = 64;
        for (int i = 0; i < 80; i++)
            job_start(&j[i], a, discard ? BLK_DISCARD : BLK_WRITE_ZEROES, 0, 500);
        EXPECT_EQ(card.n, 16384 / 500, "as many as 8 MiB hold");
        run(80);
        EXPECT_EQ(j[79].n_done, 1, "all in the end");
    }
    a->n_sectors = a->discard_max = 100000;
    for (int i = 0; i < 80; i++)
        job_start(&j[i], a, BLK_DISCARD, 0, 100000);
    EXPECT_EQ(card.n, 16384 / 2048, "each as a MiB");
}

TEST(zeroes_cost_as_much_as_data)
{
    struct blkdev *a = must_open("alpha", 100), *b = must_open("beta", 100);

    b->n_sectors = b->zeroes_max = 3000; // more than a DISCARD costs at most
    flood(0, a, 500);
    flood_of(1, b, BLK_WRITE_ZEROES, 3000);
    run(8000);
    expect_ratio(counts[0], counts[1], 543); // (3000 + 64) / (500 + 64)
}

// Two who have many requests of many pieces under way: an interrupt that ends all of the one's does
// not begin all of the other's, but a few, whose ends begin the rest.
TEST(an_interrupt_begins_a_bounded_number_of_pieces)
{
    static struct seg segs[128];
    static struct job j[128];
    struct blkdev    *d[2] = { must_open("beta", 100), must_open("alpha", 100) };
    unsigned          n_done = 0;

    card.chip.depth = 64;
    for (u32 i = 0; i < 128; i++)
        segs[i] = (struct seg){ .at = hpa(0x1000 * (i + 1)), .len = SECTOR_SIZE };
    for (u32 i = 0; i < 128; i++) {
        struct blkdev *one = d[i / 64];

        one->segs_max = 128;
        j[i]          = (struct job){ .d = one };
        j[i].r        = (struct blkreq){ .op = BLK_READ, .n_sectors = 128, .segs = segs,
                                         .n_segs = 128, .done = job_done };
        submit(&j[i]);
    }
    EXPECT_EQ(card.n, 64, "as many as the device takes");
    while (card.n)
        finish(0, BLK_OK);
    disk_interrupt(card.chip.disk);
    EXPECT_EQ(card.n, 8, "1024 pieces");
    while (card.n)
        run(1);
    for (u32 i = 0; i < 128; i++)
        n_done += j[i].n_done;
    EXPECT_EQ(n_done, 128, "all in the end");
}

// Nor does a look at the disk, which gives it something twice: before it takes what is over, and
// after, when there is room again.
TEST(a_look_begins_a_bounded_number_of_pieces)
{
    static struct seg segs[128];
    static struct job j[16];
    struct blkdev    *d      = must_open("beta", 100);
    unsigned          n_done = 0;

    card.chip.depth = 6;
    card.is_instant = true;
    d->segs_max     = 128;
    for (u32 i = 0; i < 128; i++)
        segs[i] = (struct seg){ .at = hpa(0x1000 * (i + 1)), .len = SECTOR_SIZE };
    for (u32 i = 0; i < 16; i++) {
        j[i]   = (struct job){ .d = d };
        j[i].r = (struct blkreq){ .op = BLK_READ, .n_sectors = 128, .segs = segs, .n_segs = 128,
                                  .more = true, .done = job_done };
        submit(&j[i]);
    }
    EXPECT_EQ(card.n, 0, "who has more looks afterwards");
    blk_look(d, false);
    for (u32 i = 0; i < 16; i++)
        n_done += j[i].n_done;
    EXPECT_EQ(n_done, 6, "as many as the device takes were begun, and are over");
    EXPECT_EQ(card.n, 2, "1024 pieces together");
}

#define LARGE (12 * MIB / SECTOR_SIZE)

static const struct seg large_segs[] = { { .at = { 0x1000 }, .len = 5 * MIB + 100 },
                                         { .at = { 0x10000000 }, .len = 4 * MIB - 100 },
                                         { .at = { 0x20000000 }, .len = 3 * MIB } };

static void large_start(struct job *j, struct blkdev *d)
{
    d->n_sectors   = 1 << 20;
    d->sectors_max = 131072;
    *j             = (struct job){ .d = d };
    j->r           = (struct blkreq){ .op        = BLK_WRITE,
                                      .sector    = 5,
                                      .n_sectors = LARGE,
                                      .segs      = large_segs,
                                      .n_segs    = ARRAY_LEN(large_segs),
                                      .table     = (struct seg *)large_segs,
                                      .done      = job_done };
    submit(j);
}

// The byte that is so far behind the begin of the large request.
static u64 large_byte(u64 off)
{
    const struct seg *s = large_segs;

    for (; off >= s->len; s++)
        off -= s->len;
    return s->at.a + off;
}

static void large_portion_check(const struct blkreq *r, u64 from)
{
    u64 off = from * SECTOR_SIZE;

    EXPECT_EQ(r->sector, 2000 + from, "where it begins");
    assert_null(r->table); // which would be the whole request's
    for (u32 i = 0; i < r->n_segs; off += r->segs[i].len, i++) {
        EXPECT_EQ(r->segs[i].at.a, large_byte(off), "a piece's begin");
        EXPECT_EQ(r->segs[i].at.a + r->segs[i].len - 1, large_byte(off + r->segs[i].len - 1),
                  "a piece's end");
    }
    EXPECT_EQ(off, (from + r->n_sectors) * SECTOR_SIZE, "as many bytes as sectors");
}

// What is large goes in portions, and others need not wait for more than one of them.
TEST(others_have_their_turn_within_a_large_request)
{
    struct blkdev *a = must_open("beta", 100), *b = must_open("alpha", 100);
    struct job     large, small, flush;
    u64            done = 0;

    large_start(&large, a);
    job_start(&flush, a, BLK_FLUSH, 0, 0);
    for (; done < LARGE; done += 8192) {
        EXPECT_EQ(card.n, 1, "a portion");
        large_portion_check(card.has[0], done);
        EXPECT_EQ(card.has[0]->n_sectors, 8192, "4 MiB");
        job_start(&small, b, BLK_READ, 0, 8);
        EXPECT_EQ(card.n, 2, "beside it");
        finish(1, BLK_OK);
        disk_interrupt(card.chip.disk);
        EXPECT_EQ(small.n_done, 1, "and before its end");
        EXPECT_EQ(large.n_done, 0, "not yet");
        run(1);
    }
    EXPECT_EQ(large.n_done, 1, "done");
    EXPECT_EQ(large.status, BLK_OK, "status");
    EXPECT_EQ(card.n, 1, "the flush comes after all of it");
    EXPECT_EQ(card.has[0]->op, BLK_FLUSH, "the flush");
    run(1);

    large_start(&large, a);
    job_start(&small, a, BLK_READ, 0, 8);
    run(1);
    finish(0, BLK_IO_ERROR);
    disk_interrupt(card.chip.disk);
    EXPECT_EQ(large.status, BLK_IO_ERROR, "a portion has failed");
    EXPECT_EQ(large.n_done, 1, "and so it ends");
    run(1);
    EXPECT_EQ(small.status + small.n_done, 1, "what comes next is well");
}

static void large_dies(unsigned n_over)
{
    struct blkdev *a = must_open("beta", 100);
    struct job     large, small;

    large_start(&large, a);
    job_start(&small, a, BLK_READ, 0, 8);
    run(n_over);
    card_end(&card.chip);
    disk_interrupt(card.chip.disk);
    EXPECT_EQ(large.n_done, 1, "once");
    EXPECT_EQ(large.status, BLK_IO_ERROR, "with an error");
    EXPECT_EQ(small.n_done, 1, "once");
}

// A device that cannot even be reset may still write: what it has does not end.
TEST(a_disk_that_dies_within_a_large_request)
{
    struct blkdev *a;
    struct job     large, small;

    large_dies(0);
    teardown(NULL);
    setup(NULL);
    large_dies(1);
    teardown(NULL);
    setup(NULL);
    a = must_open("beta", 100);
    large_start(&large, a);
    job_start(&small, a, BLK_READ, 0, 8);
    card.chip.dead = true;
    disk_interrupt(card.chip.disk);
    EXPECT_EQ(large.n_done, 0, "the device still has it");
    EXPECT_EQ(small.n_done, 1, "it does not have this");
    finish(0, BLK_OK);
    disk_interrupt(card.chip.disk);
    EXPECT_EQ(large.n_done, 1, "ended after all");
    EXPECT_EQ(large.status, BLK_IO_ERROR, "but not whole");
    EXPECT_EQ(small.n_done, 1, "once");
}

// Who is alone hears of several at once; beside another nobody waits for that.
TEST(interrupts_are_gathered_for_one_who_is_alone)
{
    struct blkdev *a = must_open("alpha", 100), *b = must_open("beta", 100);
    struct job     j;

    card.chip.depth = 32;
    flood(0, a, PAGE_SEC);
    run(10);
    EXPECT_EQ(card.chip.lazy, 0, "who came a moment ago may not be alone");
    run(60);
    EXPECT_EQ(card.chip.lazy, 31 / 4, "alone");
    job_start(&j, b, BLK_READ, 0, 1);
    run(1);
    EXPECT_EQ(card.chip.lazy, 0, "beside another");
    run(62);
    EXPECT_EQ(card.chip.lazy, 0, "still");
    run(2);
    EXPECT_EQ(card.chip.lazy, 31 / 4, "alone again");
    for (int i = 0; i < CROWD; i++)
        crowd[0][i].again = false;
    while (card.n) {
        assert_true(card.chip.lazy < card.n || card.n < 8);
        run(1);
    }
    EXPECT_EQ(card.chip.lazy, 0, "the last ones are told one by one");
}

// Who looks by himself needs no interrupt, unless he or another waits for a place; and for another
// the device interrupts from his first request on.
TEST(no_interrupts_for_one_who_looks)
{
    struct blkdev *a = must_open("alpha", 100), *b = must_open("beta", 100);
    struct job     j[3], k;

    job_start(&j[0], a, BLK_READ, 0, 1);
    run(1);
    for (int i = 0; i < 64; i++)
        disk_interrupt(card.chip.disk); // he is alone
    blk_look(a, true);
    EXPECT_EQ(card.chip.lazy, DISK_QUIET, "alone");
    for (int i = 0; i < 3; i++)
        job_start(&j[i], a, BLK_READ, 0, 1);
    EXPECT_EQ(blk_is_over(a), false, "under way");
    finish(0, BLK_OK);
    EXPECT_EQ(blk_is_over(a), true, "over");
    EXPECT_EQ(j[0].n_done, 0, "nobody has looked");
    blk_look(a, true);
    EXPECT_EQ(j[0].n_done, 1, "he has");
    finish(0, BLK_OK);
    job_start(&k, b, BLK_READ, 0, 1);
    EXPECT_EQ(card.chip.lazy, 0, "beside another");
    EXPECT_EQ(j[1].n_done, 1, "what was over is found");
    finish(1, BLK_OK);
    disk_interrupt(card.chip.disk);
    EXPECT_EQ(k.n_done, 1, "at once");
    run(1);
    EXPECT_EQ(j[2].n_done, 1, "all");
}

// A flush goes to the device when the writes before it are done, and is not to wait for a look.
TEST(what_waits_for_another_request_needs_its_interrupt)
{
    struct blkdev *a = must_open("alpha", 100);
    struct job     write, flush;

    job_start(&write, a, BLK_WRITE, 0, 1);
    run(1);
    for (int i = 0; i < 64; i++)
        disk_interrupt(card.chip.disk); // he is alone
    job_start(&write, a, BLK_WRITE, 0, 1);
    job_start(&flush, a, BLK_FLUSH, 0, 0);
    blk_look(a, true);
    EXPECT_EQ(card.n, 1, "the write");
    EXPECT_EQ(card.chip.lazy, 0, "the flush waits for it");
    finish(0, BLK_OK);
    disk_interrupt(card.chip.disk);
    EXPECT_EQ(card.has[0]->op, BLK_FLUSH, "the flush");
    blk_look(a, true);
    EXPECT_EQ(card.chip.lazy, DISK_QUIET, "nothing waits for that");
    run(1);
    EXPECT_EQ(flush.n_done, 1, "done");
}

// What is followed by a look begins with that.
TEST(several_begin_together)
{
    struct blkdev *a = must_open("alpha", 100);
    struct job     j[2];
    unsigned       before = card.n_kicks;

    for (int i = 0; i < 2; i++) {
        j[i]   = (struct job){ .seg = { .at = hpa(0x1000), .len = SECTOR_SIZE } };
        j[i].r = (struct blkreq){ .op   = BLK_READ, .n_sectors = 1, .segs = &j[i].seg, .n_segs = 1,
                                  .more = true,     .done      = job_done };
        EXPECT_EQ(blk_submit(a, &j[i].r), BLK_OK, "submit");
    }
    EXPECT_EQ(card.n_kicks, before, "not yet");
    blk_look(a, false);
    EXPECT_EQ(card.n_kicks, before + 1, "together");
}

// Each client may be a VM that is awakened: a stay in the monitor tells few of them (G4).
TEST(a_look_tells_a_bounded_number_of_clients)
{
    struct blkdev *d[32];
    struct job     j[64];
    unsigned       stays = 0, n_done = 0;

    card.chip.depth = 64;
    card.chip.irq   = 3;
    for (int i = 0; i < 32; i++)
        assert_null(disk_open("beta", true, 100, &d[i]));
    for (int i = 0; i < 64; i++)
        job_start(&j[i], d[i % 32], BLK_READ, 0, 8);
    while (card.n)
        finish(0, BLK_OK);
    EXPECT_EQ(blk_look(d[0], false), true, "more");
    for (int i = 0; i < 64; i++)
        n_done += j[i].n_done;
    EXPECT_EQ(n_done, 4, "of several");
    for (bool again = true; again; stays++) {
        disk_interrupt(card.chip.disk);
        again = irq_is_again(3);
    }
    assert_in_range(stays, 15, 16);
    for (int i = 0; i < 64; i++)
        EXPECT_EQ(j[i].n_done, 1, "%d", i);
    EXPECT_EQ(blk_look(d[0], false), false, "no more");
    for (int i = 0; i < 64; i++)
        job_start(&j[i], d[i % 3], BLK_READ, 0, 8);
    while (card.n)
        finish(0, BLK_OK);
    EXPECT_EQ(blk_look(d[0], false), false, "of few clients all");
    EXPECT_EQ(j[63].n_done, 1, "the last");
}

// --- flush ---

TEST(a_flush_is_a_barrier_for_its_client)
{
    struct blkdev *a = must_open("alpha", 100), *b = must_open("beta", 100);
    struct job     w1, w2, f, r, other;

    job_start(&w1, a, BLK_WRITE, 0, 8);
    job_start(&w2, a, BLK_WRITE_ZEROES, 8, 8);
    job_start(&f, a, BLK_FLUSH, 0, 0);
    job_start(&r, a, BLK_READ, 0, 8);
    EXPECT_EQ(card.n, 2, "the flush waits for the writes, and what comes after it for the flush");
    job_start(&other, b, BLK_WRITE, 0, 8);
    EXPECT_EQ(card.n, 3, "another client does not");
    finish(2, BLK_OK);
    disk_interrupt(card.chip.disk);
    finish(0, BLK_OK);
    disk_interrupt(card.chip.disk);
    EXPECT_EQ(card.n, 1, "one write is still under way");
    finish(0, BLK_IO_ERROR);
    disk_interrupt(card.chip.disk);
    EXPECT_EQ(card.n, 2, "now");
    EXPECT_EQ(card.has[0]->op, BLK_FLUSH, "first the flush");
    EXPECT_EQ(f.n_done, 0, "it is not done before the device is");
    run(2);
    EXPECT_EQ(f.n_done + r.n_done, 2, "all are done");
}

TEST(a_flush_does_not_wait_for_reads)
{
    struct blkdev *a = must_open("alpha", 100);
    struct job     r, f;

    job_start(&r, a, BLK_READ, 0, 8);
    job_start(&f, a, BLK_FLUSH, 0, 0);
    EXPECT_EQ(card.n, 2, "both");
}

// A flush has no data, and may take the device long: whoever has many has one there at a time.
TEST(flushes_leave_places_for_others)
{
    struct blkdev *a = must_open("alpha", 1000), *b = must_open("beta", 1);
    struct job     f[2 * DEPTH], r;

    for (int i = 0; i < 2 * DEPTH; i++)
        job_start(&f[i], a, BLK_FLUSH, 0, 0);
    EXPECT_EQ(card.n, 1, "one of many");
    job_start(&r, b, BLK_READ, 0, 8);
    EXPECT_EQ(card.n, 2, "and the other's");
    run(2 * DEPTH + 1);
    EXPECT_EQ(f[2 * DEPTH - 1].n_done + r.n_done, 2, "all are done");
}

TEST(nothing_is_flushed_by_who_cannot_write)
{
    struct blkdev *d;
    struct job     j;

    assert_null(disk_open("alpha", true, 100, &d));
    EXPECT_EQ(d->has_flush, false, "it does not say so");
    EXPECT_EQ(job_try(&j, d, BLK_FLUSH, 0, 0), BLK_UNSUPPORTED, "flush");
    EXPECT_EQ(card.n, 0, "nothing reaches the disk");
}

// --- limits ---

// What is less than a tick of a slow clock costs one.
TEST(a_slow_clock_keeps_a_limit)
{
    struct bucket b = { .per_s = 20000, .burst = 655 };
    u64           n = 0;

    for (u64 now = 32768; now < 2 * 32768; now++)
        for (; !bucket_closed_until(&b, now); n++)
            bucket_use(&b, 1, now, 32768);
    assert_in_range(n, 10000, 20000);
}

// --- errors ---

TEST(errors_reach_who_has_them)
{
    struct blkdev   *a = must_open("alpha", 100), *b = must_open("beta", 100);
    struct job       j[6];
    struct disk_user u, v;
    struct disk_info i;

    for (int n = 0; n < 6; n++)
        job_start(&j[n], n % 2 ? a : b, BLK_READ, 0, 8);
    finish(4, BLK_IO_ERROR);
    finish(1, BLK_UNSUPPORTED);
    while (card.n)
        finish(card.n - 1, BLK_OK); // in any order
    disk_interrupt(card.chip.disk);
    for (int n = 0; n < 6; n++) {
        EXPECT_EQ(j[n].n_done, 1, "request %d", n);
        EXPECT_EQ(j[n].status, n == 4 ? BLK_IO_ERROR : n == 1 ? BLK_UNSUPPORTED : BLK_OK,
                  "request %d", n);
    }
    assert_true(disk_user(0, &u) && disk_user(1, &v) && disk_info(0, &i));
    assert_ptr_equal(u.d, a);
    EXPECT_EQ(u.errors, 1, "alpha's");
    EXPECT_EQ(v.errors, 1, "beta's");
    EXPECT_EQ(u.requests, 3, "alpha's");
    EXPECT_EQ(i.requests, 6, "the disk's");
    EXPECT_EQ(i.bytes, 6 * PAGE_SIZE, "the disk's");
    EXPECT_EQ(u.depth + v.depth + i.depth, 0, "under way");
}

TEST(a_disk_that_dies)
{
    struct blkdev *a = must_open("alpha", 100), *b = must_open("beta", 100);
    struct job     j[2 * CROWD], more;

    for (int n = 0; n < 2 * CROWD; n++)
        job_start(&j[n], n % 2 ? a : b, n % 7 == 6 ? BLK_FLUSH : BLK_WRITE, 0, 8);
    card_end(&card.chip);
    disk_interrupt(card.chip.disk);
    for (int n = 0; n < 2 * CROWD; n++) {
        EXPECT_EQ(j[n].n_done, 1, "request %d", n);
        EXPECT_EQ(j[n].status, BLK_IO_ERROR, "request %d", n);
    }
    EXPECT_EQ(job_try(&more, a, BLK_READ, 0, 8), BLK_IO_ERROR, "later");
    disk_interrupt(card.chip.disk);
    EXPECT_EQ(j[0].n_done, 1, "once");
}

// At random: whatever comes in whatever order, everything is done once, and nobody is forgotten.
TEST(at_random)
{
    static struct job j[200];
    struct blkdev    *d[3] = { must_open("alpha", 7), must_open("beta", 900), must_open("#3", 100) };
    u64               seed = 11, n_started = 0, done = 0;
    bool              busy[200] = { 0 };

    memset(j, 0, sizeof j);
    for (int turn = 0; turn < 30000; turn++) {
        u64 i = dice_below(&seed, 200), what = dice_below(&seed, 10);

        if (!busy[i] || j[i].n_done) {
            struct blkdev *to = d[dice_below(&seed, 3)];

            job_start(&j[i], to, what == 0 ? BLK_FLUSH : what < 5 ? BLK_WRITE : BLK_READ, 0,
                      1 + dice_below(&seed, 8));
            j[i].count = &done;
            busy[i]    = true;
            n_started++;
        }
        for (u64 n = dice_below(&seed, 3); n && card.n; n--)
            finish((unsigned)dice_below(&seed, card.n), BLK_OK);
        disk_interrupt(card.chip.disk);
    }
    for (int turn = 0; turn < 1000 && card.n; turn++)
        run(1);
    EXPECT_EQ(done, n_started, "done");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(partitions_are_listed),
        RUN_ON_RIG(openings),
        RUN_ON_RIG(disks_that_cannot_be_opened),
        RUN_ON_RIG(there_is_room_for_as_many_users_as_vms),
        RUN_ON_RIG(sectors_are_the_disks),
        RUN_ON_RIG(bounds),
        RUN_ON_RIG(segments_hold_what_the_request_says),
        RUN_ON_RIG(whole_blocks_only),
        RUN_ON_RIG(read_only),
        RUN_ON_RIG(what_the_disk_cannot),
        RUN_ON_RIG(turns_by_weight),
        RUN_ON_RIG(large_requests_cost_more),
        RUN_ON_RIG(one_who_asks_seldom_is_next),
        RUN_ON_RIG(who_was_idle_saves_up_nothing),
        RUN_ON_RIG(who_was_idle_for_years_has_its_turn),
        RUN_ON_RIG(four_at_once),
        RUN_ON_RIG(data_under_way_is_bounded),
        RUN_ON_RIG(zeroes_under_way_are_bounded),
        RUN_ON_RIG(zeroes_cost_as_much_as_data),
        RUN_ON_RIG(an_interrupt_begins_a_bounded_number_of_pieces),
        RUN_ON_RIG(a_look_begins_a_bounded_number_of_pieces),
        RUN_ON_RIG(others_have_their_turn_within_a_large_request),
        RUN_ON_RIG(a_disk_that_dies_within_a_large_request),
        RUN_ON_RIG(interrupts_are_gathered_for_one_who_is_alone),
        RUN_ON_RIG(no_interrupts_for_one_who_looks),
        RUN_ON_RIG(what_waits_for_another_request_needs_its_interrupt),
        RUN_ON_RIG(several_begin_together),
        RUN_ON_RIG(a_look_tells_a_bounded_number_of_clients),
        RUN_ON_RIG(a_flush_is_a_barrier_for_its_client),
        RUN_ON_RIG(a_flush_does_not_wait_for_reads),
        RUN_ON_RIG(flushes_leave_places_for_others),
        RUN_ON_RIG(nothing_is_flushed_by_who_cannot_write),
        RUN_ON_RIG(a_slow_clock_keeps_a_limit),
        RUN_ON_RIG(errors_reach_who_has_them),
        RUN_ON_RIG(a_disk_that_dies),
        RUN_ON_RIG(at_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// The machine's virtio devices: the drivers against a model of the device, modern and legacy, that
// also misbehaves.
#include "dev/virtio.h"

#include "dev/disk.h"
#include "dev/entropy.h"
#include "dev/machine.h"
#include "rig/card.h"
#include "rig/disk.h"
#include "rig/mmio.h"
#include "rig/tables.h"
#include "rig/trees.h"
#include "unit.h"

#define BLOCKS   4096ul
#define SOME     20
#define HELD_MAX 300

static u8   image[BLOCKS * SECTOR_SIZE], tree[4096] __attribute__((aligned(8)));
static char said[2000];

static struct card_model card;
static bool              is_held; // the device takes, and does nothing yet
static struct card_chain held[HELD_MAX];
static unsigned          n_held;
static bool              has_table; // requests bring one that the device can have
static u64               unmapped; // the last range that was given up, or is zeros

static void say(const char *who, const char *what)
{
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s: %s\n", who, what);
}

static void machine_make(void)
{
    bench_reset();
    machine_forget();
    mmio_forget();
    disk_forget();
    virtio_forget();
    machine.timebase_hz = 10000000;
    machine.n_ram       = 1;
    machine.ram[0]      = (struct range){ (u64)ram_make(16 * MIB), 16 * MIB };
    said[0]             = 0;
    is_held = has_table = false;
    n_held              = 0;
    unmapped            = 0;
}

static int teardown(void **state)
{
    (void)state;
    disk_forget();
    virtio_forget();
    ram_free();
    return 0;
}

// --- a disk's device ---

static u32 data_move(const struct card_chain *k, u64 sector, bool in)
{
    u64 at = sector * SECTOR_SIZE;

    for (unsigned i = in ? k->n_out : 1; i < (in ? k->n - 1 : k->n_out); i++) {
        assert_true(range_contains(0, sizeof image, at, k->pieces[i].len));
        memcpy(in ? k->pieces[i].at : image + at, in ? image + at : k->pieces[i].at,
               k->pieces[i].len);
        at += k->pieces[i].len;
    }
    return in ? (u32)(at - sector * SECTOR_SIZE) : 0;
}

static void range_do(const struct card_chain *k, u32 type)
{
    struct virtio_blk_range r;

    EXPECT_EQ(k->pieces[1].len, sizeof r, "one range");
    memcpy(&r, k->pieces[1].at, sizeof r);
    memset(image + r.sector * SECTOR_SIZE, 0, r.n_sectors * (size_t)SECTOR_SIZE);
    unmapped = r.sector << 32 | (u64)r.n_sectors << 8 | r.flags << 4 | type;
}

static void blk_finish(const struct card_chain *k, u8 status)
{
    struct virtio_blk_header h;
    u32                      n = 0;

    EXPECT_EQ(k->pieces[0].len, sizeof h, "the header");
    memcpy(&h, k->pieces[0].at, sizeof h);
    EXPECT_EQ(k->pieces[k->n - 1].len, 1, "the status");
    if (status == VIRTIO_BLK_OK && h.type <= VIRTIO_BLK_OUT)
        n = data_move(k, h.sector, h.type == VIRTIO_BLK_IN);
    if (h.type == VIRTIO_BLK_DISCARD || h.type == VIRTIO_BLK_WRITE_ZEROES)
        range_do(k, h.type);
    *k->pieces[k->n - 1].at = status;
    card_push(&card, 0, k->head, n + 1);
}

static void blk_serve(struct card_model *c, u32 queue)
{
    struct card_chain k;

    EXPECT_EQ(queue, 0, "queue");
    while (card_pop(c, 0, &k))
        if (is_held)
            held[n_held++] = k;
        else
            blk_finish(&k, VIRTIO_BLK_OK);
}

static void config_set(u32 off, u64 value, u32 size)
{
    memcpy(card.config + off, &value, size);
}

static void card_make(u32 version, u64 features)
{
    static const struct table_part parts[] = { { 100, 1099, "alpha" }, { 2000, 3999, "beta" } };

    gpt_make(image, SECTOR_SIZE, BLOCKS, parts, 2, 128, 128);
    machine_make();
    card = (struct card_model){ .base      = 0x10008000,
                                .irq       = 8,
                                .version   = version,
                                .id        = VIRTIO_ID_BLOCK,
                                .queue_max = 256,
                                .serve     = blk_serve,
                                .offers    = features | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_FLUSH |
                                             VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES |
                                             BIT(27) | BIT(24) };
    if (version == 2)
        card.offers |= VIRTIO_F_VERSION_1;
    config_set(VIRTIO_BLK_CAPACITY, BLOCKS, 8);
    config_set(VIRTIO_BLK_SEG_MAX, 126, 4);
    config_set(VIRTIO_BLK_DISCARD_MAX, 1000, 4);
    config_set(VIRTIO_BLK_ZEROES_MAX, 2000, 4);
}

static void disk_begin(void)
{
    assert_true(virtio_probe(tree, card_attach(&card, tree, sizeof tree)));
    assert_string_equal(driver_found_last, "disk (virtio)");
    virtio_start(say);
    disks_start(say);
}

static struct blkdev *disk_make(u32 version, u64 features)
{
    struct blkdev *d = NULL;

    card_make(version, features);
    disk_begin();
    assert_non_null(strstr(said, "virtio_mmio@10008000: 2 MiB in sectors of 512 bytes, table GPT"));
    assert_null(disk_open("beta", false, 100, &d));
    while (card_interrupt(&card))
        ;
    return d;
}

// --- requests ---

struct job {
    struct blkreq   r;
    struct seg      table[10];
    unsigned        n_done;
    enum blk_status status;
};

static void job_done(struct blkreq *r, enum blk_status status)
{
    struct job *j = CONTAINER_OF(r, struct job, r);

    j->n_done++;
    j->status = status;
}

static u8 buffer[8 * 4096];

// A request of `n` segments, a sector each, that lie scattered in the buffer.
static enum blk_status job_try(struct job *j, struct blkdev *d, enum blk_op op, u64 sector, u32 n)
{
    u32 flags = op == BLK_READ ? VRING_NEXT | VRING_WRITE : VRING_NEXT;

    *j   = (struct job){ .n_done = 0 };
    j->r = (struct blkreq){ .op = op, .sector = sector, .n_sectors = n, .segs = j->table + 1,
                            .n_segs = n, .unmap = true, .done = job_done,
                            .table = has_table ? j->table : NULL };
    memset(j->table, 0xee, sizeof j->table);
    for (u32 i = 0; i < 8; i++)
        j->table[1 + i] = (struct seg){ .at   = hpa((u64)buffer + 4096 * (i * 5 % 8)),
                                        .len  = SECTOR_SIZE,
                                        .link = has_table ? flags | (i + 2) << 16 : 0 };
    return blk_submit(d, &j->r);
}

static void job_run(struct job *j, struct blkdev *d, enum blk_op op, u64 sector, u32 n)
{
    EXPECT_EQ(job_try(j, d, op, sector, n), BLK_OK, "op %d", (int)op);
    EXPECT_EQ(j->n_done, 0, "done() does not come from submit()");
    assert_true(card_interrupt(&card));
    EXPECT_EQ(j->n_done, 1, "op %d", (int)op);
}

static const struct {
    u32 version;
    u64 features;
} kinds[] = {
    { 1, 0 },
    { 1, VIRTIO_F_INDIRECT },
    { 1, VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX },
    { 2, 0 },
    { 2, VIRTIO_F_EVENT_IDX },
    { 2, VIRTIO_F_INDIRECT },
    { 2, VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX },
};

TEST(all_kinds_of_requests_on_all_kinds_of_devices)
{
    for (size_t i = 0; i < 2 * ARRAY_LEN(kinds); i++) {
        struct blkdev *d = disk_make(kinds[i / 2].version, kinds[i / 2].features);
        struct job     j;

        has_table = i % 2;
        for (size_t b = 0; b < sizeof buffer; b++)
            buffer[b] = (u8)(b / 4096 * 16 + b % 13);
        job_run(&j, d, BLK_WRITE, 10, 8);
        for (u32 s = 0; s < 8; s++)
            assert_memory_equal(image + (2010 + s) * SECTOR_SIZE, buffer + 4096 * (s * 5 % 8), 512);
        memset(buffer, 0xee, sizeof buffer);
        job_run(&j, d, BLK_READ, 10, 8);
        for (u32 s = 0; s < 8; s++)
            assert_memory_equal(image + (2010 + s) * SECTOR_SIZE, buffer + 4096 * (s * 5 % 8), 512);
        EXPECT_EQ(buffer[512], 0xee, "nothing beyond");
        job_run(&j, d, BLK_FLUSH, 0, 0);
        job_run(&j, d, BLK_DISCARD, 10, 4);
        EXPECT_EQ(unmapped, 2010ul << 32 | 4 << 8 | VIRTIO_BLK_DISCARD, "kind %zu", i);
        job_run(&j, d, BLK_WRITE_ZEROES, 14, 4);
        EXPECT_EQ(unmapped, 2014ul << 32 | 4 << 8 | 1 << 4 | VIRTIO_BLK_WRITE_ZEROES, "kind %zu", i);
        EXPECT_EQ(!!card.n_indirect, !!(kinds[i / 2].features & VIRTIO_F_INDIRECT), "kind %zu", i);
        EXPECT_EQ(card.accepts & (BIT(27) | BIT(24)), 0, "what is not known is not taken");
        teardown(NULL);
    }
}

// Many at once, and through the end of the ring again and again, in any order.
TEST(many_at_once)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        static struct job j[100];
        struct blkdev    *d    = disk_make(kinds[i].version, kinds[i].features);
        u64               seed = 3, n_done = 0;
        unsigned          most = 0;

        memset(j, 0, sizeof j);
        is_held = true;
        for (int round = 0; round < 2000; round++) {
            u64 n = dice_below(&seed, 100);

            if (!j[n].r.done || j[n].n_done) {
                n_done += j[n].n_done;
                EXPECT_EQ(job_try(&j[n], d, BLK_READ, n, 1 + (u32)dice_below(&seed, 8)), BLK_OK,
                          "round %d", round);
            }
            most = n_held > most ? n_held : most;
            while (n_held && dice_below(&seed, 5) < 2) {
                u64 which = dice_below(&seed, n_held);

                blk_finish(&held[which], VIRTIO_BLK_OK);
                held[which] = held[--n_held];
            }
            (void)card_interrupt(&card);
        }
        is_held = false;
        while (n_held)
            blk_finish(&held[--n_held], VIRTIO_BLK_OK);
        for (int turn = 0; turn < 10; turn++)
            (void)card_interrupt(&card);
        for (int n = 0; n < 100; n++)
            EXPECT_EQ(!j[n].r.done || j[n].n_done == 1, true, "kind %zu, request %d", i, n);
        assert_true(most > 20 && n_done > 500);
        teardown(NULL);
    }
}

TEST(as_many_are_under_way_as_there_is_room_for)
{
    struct blkdev   *d = disk_make(2, VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX);
    struct job       j[100];
    struct disk_info i;
    unsigned         told = card.n_notified;

    is_held = true;
    for (int n = 0; n < 100; n++)
        EXPECT_EQ(job_try(&j[n], d, BLK_WRITE, 0, 8), BLK_OK, "request %d", n);
    assert_true(disk_info(0, &i));
    EXPECT_EQ(i.depth, 64, "under way");
    EXPECT_EQ(n_held, 64, "the device has them");
    assert_true(card.n_notified - told <= 64);
    teardown(NULL);
}

// With the event index a client that is alone is interrupted for several at once, and none is
// forgotten; without it, for each.
TEST(interrupts_are_gathered)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct blkdev *d = disk_make(kinds[i].version, kinds[i].features);
        struct job     j[48];
        unsigned       n_interrupts = 0;

        for (int n = 0; n < 70; n++)
            job_run(&j[0], d, BLK_READ, 0, 1);
        is_held = true;
        for (int n = 0; n < 48; n++)
            EXPECT_EQ(job_try(&j[n], d, BLK_READ, 0, 1), BLK_OK, "request %d", n);
        EXPECT_EQ(n_held, 48, "under way");
        for (int n = 0; n < 48; n++) {
            blk_finish(&held[n], VIRTIO_BLK_OK);
            n_interrupts += card_interrupt(&card);
        }
        for (int n = 0; n < 48; n++)
            EXPECT_EQ(j[n].n_done, 1, "kind %zu, request %d", i, n);
        if (kinds[i].features & VIRTIO_F_EVENT_IDX)
            assert_true(n_interrupts >= 8 && n_interrupts <= 20);
        else
            EXPECT_EQ(n_interrupts, 48, "each");
        teardown(NULL);
    }
}

// Seen in the ring, before anybody has taken it from there.
TEST(what_is_over_is_seen_without_an_interrupt)
{
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct blkdev *d = disk_make(kinds[i].version, kinds[i].features);
        struct job     j[2];

        is_held = true;
        for (int n = 0; n < 2; n++)
            EXPECT_EQ(job_try(&j[n], d, BLK_READ, 0, 1), BLK_OK, "request %d", n);
        for (int n = 0; n < 2; n++) {
            EXPECT_EQ(blk_is_over(d), false, "kind %zu, under way", i);
            blk_finish(&held[n], VIRTIO_BLK_OK);
            EXPECT_EQ(blk_is_over(d), true, "kind %zu", i);
            EXPECT_EQ(j[n].n_done, 0, "nobody has looked");
            blk_look(d, false);
            EXPECT_EQ(j[n].n_done, 1, "found");
        }
        EXPECT_EQ(blk_is_over(d), false, "kind %zu, nothing under way", i);
        teardown(NULL);
    }
}

// What is over and was not told is found by looking.
TEST(one_that_does_not_interrupt_is_looked_at)
{
    struct blkdev *d = disk_make(2, VIRTIO_F_EVENT_IDX);
    struct job     j;

    EXPECT_EQ(job_try(&j, d, BLK_READ, 0, 1), BLK_OK, "submit");
    EXPECT_EQ(j.n_done, 0, "no interrupt");
    disks_look();
    EXPECT_EQ(j.n_done, 1, "done");
    teardown(NULL);
}

TEST(the_devices_words_for_errors)
{
    static const struct {
        u8              answer;
        enum blk_status want;
    } words[] = { { VIRTIO_BLK_OK, BLK_OK },
                  { VIRTIO_BLK_IOERR, BLK_IO_ERROR },
                  { VIRTIO_BLK_UNSUPP, BLK_UNSUPPORTED },
                  { 3, BLK_IO_ERROR },
                  { 0xff, BLK_IO_ERROR } };
    struct blkdev *d = disk_make(2, VIRTIO_F_INDIRECT);

    is_held = true;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct job j;

        EXPECT_EQ(job_try(&j, d, BLK_WRITE, 0, 1), BLK_OK, "submit");
        blk_finish(&held[--n_held], words[i].answer);
        assert_true(card_interrupt(&card));
        EXPECT_EQ(j.n_done, 1, "answer %u", words[i].answer);
        EXPECT_EQ(j.status, words[i].want, "answer %u", words[i].answer);
    }
    teardown(NULL);
}

// --- devices that break the rules ---

static void idx_jumps(void)
{
    card_used(&card, 0)->idx = (u16)(card_used(&card, 0)->idx + SOME + 1);
    card.interrupts |= VIRTIO_INT_USED;
}

static void idx_runs_back(void)
{
    card_used(&card, 0)->idx--;
    card.interrupts |= VIRTIO_INT_USED;
}

static void id_too_large(void)
{
    card_push(&card, 0, 256, 1);
}

static void id_huge(void)
{
    card_push(&card, 0, 0xffffffff, 1);
}

static void id_of_nothing(void)
{
    card_push(&card, 0, (held[0].head + 40) % 64, 1);
}

static void id_twice(void)
{
    card_push(&card, 0, held[0].head, 1);
    card_push(&card, 0, held[0].head, 1);
}

static void more_than_there_was_room_for(void)
{
    card_push(&card, 0, held[0].head, SECTOR_SIZE + 2);
}

static void needs_reset(void)
{
    card.status |= VIRTIO_NEEDS_RESET;
    card.interrupts |= VIRTIO_INT_CONFIG;
}

static void (*const evil[])(void) = {
    idx_jumps, idx_runs_back, id_too_large,                 id_huge,
    id_twice,  id_of_nothing, more_than_there_was_room_for, needs_reset,
};

// It is reset; what it had ends with an error, once; it gets nothing more.
TEST(devices_that_break_the_rules)
{
    for (size_t i = 0; i < ARRAY_LEN(evil); i++) {
        struct blkdev   *d = disk_make(2, VIRTIO_F_INDIRECT | (i % 2 ? VIRTIO_F_EVENT_IDX : 0));
        struct job       j[SOME], more;
        struct disk_info info;
        unsigned         n_resets = card.n_resets;

        is_held = true;
        for (int n = 0; n < SOME; n++)
            EXPECT_EQ(job_try(&j[n], d, BLK_READ, 0, 1), BLK_OK, "submit");
        evil[i]();
        card.interrupts |= VIRTIO_INT_USED;
        assert_true(card_interrupt(&card));
        assert_true(disk_info(0, &info));
        EXPECT_EQ(info.dead, true, "case %zu", i);
        EXPECT_EQ(card.n_resets, n_resets + 1, "case %zu", i);
        EXPECT_EQ(info.depth, 0, "case %zu", i);
        for (int n = 0; n < SOME; n++)
            EXPECT_EQ(j[n].n_done, 1, "case %zu, request %d", i, n);
        EXPECT_EQ(j[SOME - 1].status, BLK_IO_ERROR, "case %zu", i);
        EXPECT_EQ(job_try(&more, d, BLK_READ, 0, 1), BLK_IO_ERROR, "case %zu", i);
        assert_true(irq_raise(card.irq));
        EXPECT_EQ(j[0].n_done, 1, "case %zu", i);
        teardown(NULL);
    }
}

// It may still write where it was told to: what it had never ends, so nobody reuses that memory.
TEST(one_that_cannot_even_be_reset)
{
    struct blkdev *d = disk_make(2, VIRTIO_F_INDIRECT);
    struct job     j, more;

    is_held = card.no_reset = true;
    EXPECT_EQ(job_try(&j, d, BLK_READ, 0, 1), BLK_OK, "submit");
    idx_jumps();
    assert_true(card_interrupt(&card));
    EXPECT_EQ(job_try(&more, d, BLK_READ, 0, 1), BLK_IO_ERROR, "later");
    for (int i = 0; i < 3; i++)
        assert_true(irq_raise(card.irq));
    EXPECT_EQ(j.n_done, 0, "never");
    teardown(NULL);
}

// Legacy ones may say a wrong length (2.7.8.3).
TEST(wrong_lengths_of_legacy_devices)
{
    struct blkdev *d = disk_make(1, 0);
    struct job     j;

    is_held = true;
    EXPECT_EQ(job_try(&j, d, BLK_READ, 0, 1), BLK_OK, "submit");
    *held[0].pieces[held[0].n - 1].at = VIRTIO_BLK_OK;
    card_push(&card, 0, held[0].head, 0x10000);
    assert_true(card_interrupt(&card));
    EXPECT_EQ(j.n_done, 1, "done");
    EXPECT_EQ(j.status, BLK_OK, "done");
    teardown(NULL);
}

// --- devices that cannot be driven ---

static void too_new(void)
{
    card.version = 3;
}

static void no_reset(void)
{
    card.no_reset = true;
    card.status   = VIRTIO_ACKNOWLEDGE;
}

static void no_features(void)
{
    card.no_features = true;
}

static void half_modern(void)
{
    card.offers &= ~VIRTIO_F_VERSION_1;
}

static void no_queue(void)
{
    card.queue_max = 0;
}

static void short_queue(void)
{
    card.queue_max = 64;
}

static void no_interrupt(void)
{
    card.irq = 0;
}

static void large_blocks(void)
{
    card.offers |= VIRTIO_BLK_F_BLK_SIZE;
    config_set(VIRTIO_BLK_BLK_SIZE, 8192, 4);
}

static void odd_blocks(void)
{
    card.offers |= VIRTIO_BLK_F_BLK_SIZE;
    config_set(VIRTIO_BLK_BLK_SIZE, 1000, 4);
}

static void tiny_segments(void)
{
    card.offers |= VIRTIO_BLK_F_SIZE_MAX;
    config_set(VIRTIO_BLK_SIZE_MAX, 511, 4);
}

static void no_memory(void)
{
    machine.n_ram = 0;
}

static const struct {
    void (*spoil)(void);
    const char *word;
} useless[] = {
    { too_new, "neither 1 nor 2" },
    { no_reset, "cannot be reset" },
    { no_features, "iommu_platform" },
    { half_modern, "disable-modern" },
    { no_queue, "queues is missing" },
    { short_queue, "queue-size=256" },
    { no_interrupt, "interrupt" },
    { large_blocks, "logical_block_size" },
    { odd_blocks, "logical_block_size" },
    { tiny_segments, "less than a block" },
    { no_memory, "memory" },
};

TEST(devices_that_cannot_be_driven)
{
    for (size_t i = 0; i < ARRAY_LEN(useless); i++) {
        card_make(2, 0);
        useless[i].spoil();
        disk_begin();
        if (!strstr(said, useless[i].word) || !strchr(said, ';'))
            fail_msg("case %zu: \"%s\" does not speak of \"%s\"", i, said, useless[i].word);
        teardown(NULL);
    }
}

TEST(what_is_no_device)
{
    card_make(2, 0);
    card.id = 0;
    assert_false(virtio_probe(tree, card_attach(&card, tree, sizeof tree)));
    teardown(NULL);
    card_make(2, 0);
    card.id = 19;
    assert_true(virtio_probe(tree, card_attach(&card, tree, sizeof tree)));
    assert_string_equal(driver_found_last, "virtio device (not used)");
    virtio_start(say);
    assert_string_equal(said, "");
    teardown(NULL);
}

TEST(a_disk_that_does_not_answer)
{
    for (int can_reset = 0; can_reset < 2; can_reset++) {
        card_make(2, VIRTIO_F_INDIRECT);
        card.serve       = NULL;
        chips.clock_step = 10000;
        assert_true(virtio_probe(tree, card_attach(&card, tree, sizeof tree)));
        virtio_start(say);
        card.no_reset = !can_reset;
        disks_start(say);
        assert_non_null(strstr(said, "does not answer"));
        EXPECT_EQ(fake_hart.time / machine.timebase_hz, 5, "seconds");
        teardown(NULL);
    }
}

TEST(the_shape_of_a_disk)
{
    struct blkdev *d;

    card_make(2, VIRTIO_F_INDIRECT);
    card.offers |= VIRTIO_BLK_F_RO | VIRTIO_BLK_F_SIZE_MAX;
    card.offers &= ~(VIRTIO_BLK_F_FLUSH | VIRTIO_BLK_F_DISCARD | VIRTIO_BLK_F_WRITE_ZEROES);
    config_set(VIRTIO_BLK_SIZE_MAX, 65536, 4);
    config_set(VIRTIO_BLK_SEG_MAX, 10000, 4);
    disk_begin();
    assert_null(disk_open("alpha", true, 100, &d));
    assert_true(d->read_only && !d->has_flush && !d->discard_max && !d->zeroes_max);
    EXPECT_EQ(d->sectors_max, 128, "no more than one segment may have");
    EXPECT_EQ(d->segs_max, 254, "two less than its queue");
    teardown(NULL);
    card_make(2, 0);
    config_set(VIRTIO_BLK_SEG_MAX, 10000, 4);
    disk_begin();
    assert_null(disk_open("alpha", true, 100, &d));
    EXPECT_EQ(d->segs_max, 254, "what a ring of 256 has room for beside header and status");
    teardown(NULL);
    card_make(2, VIRTIO_F_INDIRECT);
    card.queue_max = 128;
    config_set(VIRTIO_BLK_SEG_MAX, 10000, 4);
    config_set(VIRTIO_BLK_ZEROES_MAX, 1u << 22, 4);
    disk_begin();
    assert_null(disk_open("alpha", true, 100, &d));
    EXPECT_EQ(d->segs_max, 126, "no chain is longer than the queue (2.7.5.3.1)");
    EXPECT_EQ(d->zeroes_max, 8192, "others wait for it");
    teardown(NULL);
    card_make(2, VIRTIO_F_INDIRECT);
    config_set(VIRTIO_BLK_CAPACITY, ~0ul, 8);
    assert_true(virtio_probe(tree, card_attach(&card, tree, sizeof tree)));
    virtio_start(say);
    teardown(NULL);
}

// --- entropy ---

static u32 rng_gives = 64;

static void rng_serve(struct card_model *c, u32 queue)
{
    struct card_chain k;

    while (card_pop(c, queue, &k)) {
        EXPECT_EQ(k.n_out, 0, "nothing to read");
        EXPECT_EQ(k.pieces[0].len, 64, "asked for");
        memset(k.pieces[0].at, 0x77, 64);
        card_push(c, queue, k.head, rng_gives);
        n_held++;
    }
}

static void rng_make(u32 version)
{
    machine_make();
    card = (struct card_model){ .base      = 0x10001000,
                                .irq       = 1,
                                .version   = version,
                                .id        = VIRTIO_ID_ENTROPY,
                                .queue_max = 1024,
                                .offers    = version == 2 ? VIRTIO_F_VERSION_1 : 0,
                                .serve     = rng_serve };
    assert_true(virtio_probe(tree, card_attach(&card, tree, sizeof tree)));
    assert_string_equal(driver_found_last, "entropy (virtio)");
}

TEST(entropy_is_mixed_in)
{
    u8 without[32], with[32], again[32];

    for (u32 version = 1; version <= 2; version++) {
        machine_make();
        seed_forget();
        entropy_take(without, sizeof without);
        teardown(NULL);
        for (int i = 0; i < 2; i++) {
            rng_make(version);
            seed_forget();
            virtio_start(say);
            entropy_take(i ? again : with, sizeof with);
            teardown(NULL);
        }
        assert_memory_not_equal(without, with, sizeof with);
        assert_memory_equal(with, again, sizeof with);
    }
}

TEST(more_entropy_is_asked_for_when_much_was_taken)
{
    static u8 bytes[1024];
    unsigned  before;

    rng_make(2);
    virtio_start(say);
    before = n_held;
    EXPECT_EQ(before, 1, "once at boot");
    for (int i = 0; i < 160; i++) {
        entropy_take(bytes, sizeof bytes);
        (void)card_interrupt(&card);
    }
    EXPECT_EQ(n_held - before, 10, "once each 16 KiB");
    card.serve = NULL; // it falls silent: nobody waits, and it is not asked twice
    before     = card.n_notified;
    for (int i = 0; i < 160; i++)
        entropy_take(bytes, sizeof bytes);
    EXPECT_EQ(card.n_notified - before, 1, "asked once");
    teardown(NULL);
}

TEST(entropy_devices_that_break_the_rules)
{
    u8 bytes[32];

    rng_make(2);
    rng_gives = 65;
    virtio_start(say);
    assert_non_null(strstr(said, "breaks the rules"));
    rng_gives = 64;
    for (int i = 0; i < 2000; i++)
        entropy_take(bytes, sizeof bytes);
    EXPECT_EQ(n_held, 1, "it is not asked again");
    teardown(NULL);
    rng_make(2);
    card.serve       = NULL;
    chips.clock_step = 1000;
    virtio_start(say);
    EXPECT_EQ(fake_hart.time / (machine.timebase_hz / 10), 1, "tenths of a second");
    entropy_take(bytes, sizeof bytes);
    teardown(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(all_kinds_of_requests_on_all_kinds_of_devices),
        RUN(many_at_once),
        RUN(as_many_are_under_way_as_there_is_room_for),
        RUN(interrupts_are_gathered),
        RUN(what_is_over_is_seen_without_an_interrupt),
        RUN(one_that_does_not_interrupt_is_looked_at),
        RUN(the_devices_words_for_errors),
        RUN(devices_that_break_the_rules),
        RUN(one_that_cannot_even_be_reset),
        RUN(wrong_lengths_of_legacy_devices),
        RUN(devices_that_cannot_be_driven),
        RUN(what_is_no_device),
        RUN(a_disk_that_does_not_answer),
        RUN(the_shape_of_a_disk),
        RUN(entropy_is_mixed_in),
        RUN(more_entropy_is_asked_for_when_much_was_taken),
        RUN(entropy_devices_that_break_the_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// The split virtqueue (Virtio 1.2, 2.7), and what a hostile driver writes into it.
#include "unit.h"

#include "rig/driver.h"
#include "vdev/virtq.h"

#define AT   (VM_RAM_BASE + 0x10000)
#define DATA (VM_RAM_BASE + 0x20000)
#define SIZE 8

static struct rig   *r;
static struct driver d;
static struct virtq  q;
static struct chain  c;

static void queue_begin(u32 size)
{
    d         = (struct driver){ .r = r, .size = size };
    d.desc    = AT;
    d.avail   = AT + 16ul * size;
    d.used    = align_up(d.avail + 6 + 2ul * size, 4);
    q         = (struct virtq){ .num   = size,
                                .desc  = gpa(d.desc),
                                .avail = gpa(d.avail),
                                .used  = gpa(d.used) };
    for (u64 i = AT; i < d.used + 6 + 8ul * size; i++)
        assert_true(gmem_write(&r->vm, gpa(i), "", 1));
    assert_true(virtq_begin(&r->vm, &q, VIRTQ_SIZE_MAX, CHAIN_SEGS_MAX));
}

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r = rig_make(NULL);
    queue_begin(SIZE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    gmem_watch = NULL;
    rig_free(r);
    return 0;
}

static void desc(u32 i, u64 at, u32 len, u16 flags, u16 next)
{
    driver_desc(&d, d.desc, i, at, len, flags, next);
}

static enum virtq_answer pop(void)
{
    return virtq_pop(&r->vm, &q, &c);
}

static void refused(const char *what)
{
    EXPECT_EQ(pop(), VIRTQ_BROKEN, "%s", what);
    assert_true(q.broken);
    queue_begin(SIZE);
}

// Whether a queue may lie there, beside what a model says.
static bool may_begin(u64 desc_at, u64 avail, u64 used, u32 size)
{
    struct virtq n = { .num = size, .desc = gpa(desc_at), .avail = gpa(avail), .used = gpa(used) };

    return virtq_begin(&r->vm, &n, VIRTQ_SIZE_MAX, CHAIN_SEGS_MAX);
}

TEST(sizes)
{
    for (u32 size = 0; size < 1030; size++)
        EXPECT_EQ(may_begin(AT, AT + 0x8000, DATA, size),
                  size && size <= VIRTQ_SIZE_MAX && !(size & (size - 1)), "%u", size);
    assert_false(may_begin(AT, AT + 0x8000, DATA, 1u << 31));
    assert_false(may_begin(AT, AT + 0x8000, DATA, ~0u));
}

TEST(places)
{
    u64 end = VM_RAM_BASE + r->vm.ram_size;

    assert_true(may_begin(end - 128, AT, DATA, 8));
    assert_false(may_begin(end - 112, AT, DATA, 8));
    assert_true(may_begin(AT, end - 22, DATA, 8));
    assert_false(may_begin(AT, end - 20, DATA, 8));
    assert_true(may_begin(AT, DATA, end - 72, 8)); // 70 bytes, aligned to 4
    assert_false(may_begin(AT, DATA, end - 68, 8));
    for (u64 skew = 0; skew < 32; skew++) {
        EXPECT_EQ(may_begin(AT + skew, DATA, DATA, 8), skew % 16 == 0, "%lu", skew);
        EXPECT_EQ(may_begin(AT, DATA + skew, DATA, 8), skew % 2 == 0, "%lu", skew);
        EXPECT_EQ(may_begin(AT, DATA, DATA + skew, 8), skew % 4 == 0, "%lu", skew);
    }
    static const u64 bad[] = { 0,           0x10001000, 0x0c000000, VM_RAM_BASE - 16, ~0ul & ~15ul,
                               1ul << 63, 1ul << 44 };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(may_begin(bad[i], AT, DATA, 8));
        assert_false(may_begin(AT, bad[i], DATA, 8));
        assert_false(may_begin(AT, DATA, bad[i], 8));
    }
}

TEST(one_chain)
{
    EXPECT_EQ(pop(), VIRTQ_EMPTY, "nothing offered");
    desc(3, DATA, 16, DESC_NEXT, 5);
    desc(5, DATA + 16, 512, DESC_NEXT | DESC_WRITE, 1);
    desc(1, DATA + 0x1001, 1, DESC_WRITE, 77);
    driver_offer(&d, 3);
    EXPECT_EQ(pop(), VIRTQ_CHAIN, "one");
    EXPECT_EQ(c.head, 3, "head");
    EXPECT_EQ(c.in_begin, 1, "out");
    EXPECT_EQ(c.end, 3, "all");
    EXPECT_EQ(c.out_bytes, 16, "out");
    EXPECT_EQ(c.in_bytes, 513, "in");
    EXPECT_EQ(c.segs[2].at.a, gmem_to_host(&r->vm, gpa(DATA + 0x1001)).a, "place");
    EXPECT_EQ(pop(), VIRTQ_EMPTY, "no more");
    virtq_push(&q, 3, 513);
    u32 head, len;
    assert_true(driver_used(&d, &head, &len));
    EXPECT_EQ(head, 3, "head");
    EXPECT_EQ(len, 513, "length");
    assert_false(driver_used(&d, &head, &len));
}

// Both indexes pass 2^16.
TEST(indexes_wrap)
{
    u32 head, len;

    desc(2, DATA, 16, 0, 0);
    for (u32 n = 0; n < 140000; n++) {
        driver_offer(&d, 2);
        EXPECT_EQ(pop(), VIRTQ_CHAIN, "%u", n);
        virtq_push(&q, 2, n);
        assert_true(driver_used(&d, &head, &len));
        EXPECT_EQ(len, n, "%u", n);
    }
}

static void index_set(u16 index)
{
    assert_true(gmem_write(&r->vm, gpa(d.avail + 2), &index, 2));
}

// D3: an index that jumps or runs backwards is no ring's.
TEST(index_jumps)
{
    for (u32 index = 0; index < 65536; index++) {
        queue_begin(SIZE);
        desc(0, DATA, 16, 0, 0);
        index_set((u16)index);
        EXPECT_EQ(pop(), !index ? VIRTQ_EMPTY : index <= SIZE ? VIRTQ_CHAIN : VIRTQ_BROKEN, "%u",
                  index);
    }
    queue_begin(SIZE);
    desc(0, DATA, 16, 0, 0);
    index_set(2);
    assert_true(pop() == VIRTQ_CHAIN && pop() == VIRTQ_CHAIN);
    index_set(1);
    refused("backwards");
}

TEST(heads_and_next_out_of_range)
{
    for (u32 head = SIZE; head < 65536; head += 1 + head / 16) {
        driver_offer(&d, (u16)head);
        refused("head");
        desc(0, DATA, 16, DESC_NEXT, (u16)head);
        driver_offer(&d, 0);
        refused("next");
    }
}

// D2: a loop ends, at the number of pieces that a chain may have.
TEST(loops)
{
    desc(0, DATA, 16, DESC_NEXT, 0);
    driver_offer(&d, 0);
    refused("to itself");
    for (u16 i = 0; i < SIZE; i++)
        desc(i, DATA, 16, DESC_NEXT, (u16)((i + 1) % SIZE));
    driver_offer(&d, 5);
    refused("through all");
    for (u32 i = 0; i < 4; i++)
        desc(i, DATA, 16, i < 3 ? DESC_NEXT : 0, (u16)(i == 2 ? 2 : i + 1));
    driver_offer(&d, 0);
    refused("one that follows itself, behind some that follow one another");
}

TEST(pieces_outside)
{
    u64 end = VM_RAM_BASE + r->vm.ram_size;
    struct {
        u64 at;
        u32 len;
    } bad[] = { { 0, 16 },          { 0x10001000, 4 },      { VM_RAM_BASE - 1, 2 }, { end, 1 },
                { end - 16, 17 },   { ~0ul, 1 },            { ~0ul - 7, 16 },       { 1ul << 63, 1 },
                { DATA, ~0u },      { VM_RAM_BASE, 1u << 31 }, { DATA, 0 },         { end, 0 } };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        for (u16 flags = 0; flags <= DESC_WRITE; flags += DESC_WRITE) {
            desc(0, bad[i].at, bad[i].len, flags, 0);
            driver_offer(&d, 0);
            refused("a piece outside");
        }
    desc(0, end - 16, 16, 0, 0);
    driver_offer(&d, 0);
    EXPECT_EQ(pop(), VIRTQ_CHAIN, "the last bytes of RAM");
}

// Four alike, each the next one's neighbour in the table; the third lies there.
static void offer_alike(u64 third, u16 flags)
{
    for (u16 i = 0; i < 4; i++)
        desc(i, i == 2 ? third : DATA + 64ul * i, 16, flags | (i < 3 ? DESC_NEXT : 0),
             (u16)(i + 1));
    driver_offer(&d, 0);
}

TEST(pieces_outside_behind_others_like_them)
{
    u64 end   = VM_RAM_BASE + r->vm.ram_size;
    u64 bad[] = { 0, 0x10001000, VM_RAM_BASE - 1, end - 15, end, ~0ul, ~0ul - 7, 1ul << 63 };

    for (u16 flags = 0; flags <= DESC_WRITE; flags += DESC_WRITE) {
        for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
            offer_alike(bad[i], flags);
            refused("a third outside");
        }
        offer_alike(end - 16, flags);
        EXPECT_EQ(pop(), VIRTQ_CHAIN, "the last bytes of RAM");
    }
}

// Pieces may overlap, so that a chain can hold more than there is RAM; up to 2^32 bytes (2.7.4).
TEST(sums)
{
    u64 size = r->vm.ram_size;

    for (u16 n = 4; n <= 5; n++)
        for (u16 flags = 0; flags <= DESC_WRITE; flags += DESC_WRITE) {
            for (u16 i = 0; i < n; i++)
                desc(i, VM_RAM_BASE, 1u << 30, (i + 1 < n ? DESC_NEXT : 0) | flags, (u16)(i + 1));
            driver_offer(&d, 0);
            r->vm.ram_size = 1ul << 30; // a chain that is only taken touches nothing
            EXPECT_EQ(pop(), n == 4 ? VIRTQ_CHAIN : VIRTQ_BROKEN, "%u GiB", n);
            r->vm.ram_size = size;
            queue_begin(SIZE);
        }
}

TEST(read_after_written)
{
    desc(0, DATA, 16, DESC_NEXT | DESC_WRITE, 1);
    desc(1, DATA, 16, 0, 0);
    driver_offer(&d, 0);
    refused("a piece to be read after one to be written");
}

static void table(u64 at, u32 n, u32 last)
{
    for (u32 i = 0; i < n; i++)
        driver_desc(&d, at, i, DATA + 4096ul * (i % 16), 8, i == last ? 0 : DESC_NEXT,
                    (u16)(i + 1));
}

TEST(indirect)
{
    for (u64 skew = 0; skew < 16; skew++) { // 2.7.5.3 wants no alignment
        table(DATA + 0x4000 + skew, 100, 99);
        desc(0, DATA + 0x4000 + skew, 1600, DESC_INDIRECT | DESC_WRITE, 0); // WRITE means nothing
        driver_offer(&d, 0);
        EXPECT_EQ(pop(), VIRTQ_CHAIN, "%lu", skew);
        EXPECT_EQ(c.end, 100, "pieces");
        EXPECT_EQ(c.out_bytes, 800, "bytes");
    }
    table(DATA + 0x4000, 10, 9);
    desc(4, DATA, 64, DESC_NEXT, 0);
    driver_offer(&d, 4);
    desc(0, DATA + 0x4000, 160, DESC_INDIRECT, 0);
    EXPECT_EQ(pop(), VIRTQ_CHAIN, "after a plain one");
    EXPECT_EQ(c.end, 11, "pieces");
}

// Where each of n pieces stands: one behind the other, or anywhere, each place once.
static void places_choose(u64 *seed, u16 *places, u32 n, u32 size)
{
    u32 first = (u32)dice_below(seed, size - n + 1);

    for (u32 i = 0; i < size; i++)
        places[i] = (u16)((first + i) % size);
    if (dice_below(seed, 2))
        return;
    for (u32 i = 0; i < n; i++) {
        u32 other = i + (u32)dice_below(seed, size - i);
        u16 here  = places[i];

        places[i]     = places[other];
        places[other] = here;
    }
}

// A table begins with its first entry.
static void first_to_front(u16 *places, u32 n)
{
    for (u32 i = 1; i < n; i++)
        if (!places[i])
            places[i] = places[0];
    places[0] = 0;
}

// A chain as a driver may make it: plain descriptors, the last of which may lead to a table; first
// what is read, then what is written.
TEST(chains_in_any_order)
{
    enum { TABLE = 12, PIECES = SIZE - 1 + TABLE };

    for (u64 seed = 1, round = 0; round < 20000; round++) {
        u32 plain = (u32)dice_below(&seed, SIZE), more = (u32)dice_below(&seed, TABLE + 1);
        u32 n = plain + more, n_out = (u32)dice_below(&seed, n + 1), lens[PIECES];
        u16 places[SIZE], entries[TABLE];
        u64 at = DATA + 0x4000 + (dice_below(&seed, 4) ? 0 : 4);

        if (!n)
            continue;
        places_choose(&seed, places, plain + (more > 0), SIZE);
        places_choose(&seed, entries, more, TABLE);
        first_to_front(entries, more);
        for (u32 i = 0; i < n; i++) {
            bool is_last = i == n - 1, in_table = i >= plain;
            u16  flags = (u16)((i < n_out ? 0 : DESC_WRITE) | (is_last ? 0 : DESC_NEXT)), next = 0;

            if (!is_last)
                next = in_table ? entries[i + 1 - plain] : places[i + 1];
            lens[i] = 1 + (u32)dice_below(&seed, 100);
            driver_desc(&d, in_table ? at : d.desc, in_table ? entries[i - plain] : places[i],
                        DATA + 256ul * i, lens[i], flags, next);
        }
        if (more)
            desc(places[plain], at, 16 * TABLE, DESC_INDIRECT, 0);
        driver_offer(&d, places[0]);
        EXPECT_EQ(pop(), VIRTQ_CHAIN, "round %lu", round);
        EXPECT_EQ(c.end, n, "round %lu: pieces", round);
        EXPECT_EQ(c.in_begin, n_out, "round %lu: read", round);
        for (u32 i = 0; i < n; i++) {
            EXPECT_EQ(c.segs[i].at.a, gmem_to_host(&r->vm, gpa(DATA + 256ul * i)).a, "%lu: %u",
                      round, i);
            EXPECT_EQ(c.segs[i].len, lens[i], "%lu: %u", round, i);
            EXPECT_EQ(c.segs[i].link & 0xffff,
                      (i < n_out ? 0 : DESC_WRITE) | (i < n - 1 ? DESC_NEXT : 0), "%lu: %u", round, i);
            if (i < n - 1)
                EXPECT_EQ(c.segs[i].link >> 16, i + 1, "%lu: %u", round, i);
        }
    }
}

TEST(indirect_wrong)
{
    u64 end = VM_RAM_BASE + r->vm.ram_size;

    for (u32 len = 0; len < 64; len++) {
        table(DATA + 0x4000, 4, 3);
        desc(0, DATA + 0x4000, len, DESC_INDIRECT, 0);
        driver_offer(&d, 0);
        refused("a table that ends before its chain, or no whole descriptors");
    }
    for (u32 len = 0; len < 32; len++) {
        table(DATA + 0x4000, 1, 0);
        desc(0, DATA + 0x4000, len, DESC_INDIRECT, 0);
        driver_offer(&d, 0);
        if (len != 16)
            refused("no whole descriptors");
        else
            EXPECT_EQ(pop(), VIRTQ_CHAIN, "one descriptor");
    }
    desc(0, DATA + 0x4000, 64, DESC_INDIRECT | DESC_NEXT, 1);
    driver_offer(&d, 0);
    refused("INDIRECT and NEXT");
    desc(0, DATA + 0x4000, 64, DESC_INDIRECT, 0);
    driver_desc(&d, DATA + 0x4000, 0, DATA + 0x4000, 64, DESC_INDIRECT, 0);
    driver_offer(&d, 0);
    refused("indirect inside indirect");
    desc(0, end - 16, 32, DESC_INDIRECT, 0);
    driver_offer(&d, 0);
    refused("a table that RAM's end cuts");
    desc(0, VM_RAM_BASE - 16, 64, DESC_INDIRECT, 0);
    driver_offer(&d, 0);
    refused("a table outside RAM");
    desc(0, VM_RAM_BASE, 0xfffffff0, DESC_INDIRECT, 0);
    driver_offer(&d, 0);
    refused("a huge table");
    table(DATA + 0x4000, CHAIN_SEGS_MAX + 1, CHAIN_SEGS_MAX);
    desc(0, DATA + 0x4000, 16 * (CHAIN_SEGS_MAX + 1), DESC_INDIRECT, 0);
    driver_offer(&d, 0);
    refused("more pieces than a chain may have");
}

// D6: whatever changes just after it was read, the chain is the one that was read.
static void poison(hpa_t at, size_t len)
{
    memset((void *)at.a, 0xee, len);
}

TEST(changed_after_it_was_read)
{
    table(DATA + 0x4000, 3, 2);
    desc(4, DATA, 64, DESC_NEXT, 0);
    desc(0, DATA + 0x4000, 48, DESC_INDIRECT, 0);
    driver_offer(&d, 4);
    gmem_watch = poison;
    EXPECT_EQ(pop(), VIRTQ_CHAIN, "the old one");
    gmem_watch = NULL;
    EXPECT_EQ(q.seen_avail, 1, "index");
    EXPECT_EQ(c.head, 4, "head");
    EXPECT_EQ(c.end, 4, "pieces");
    EXPECT_EQ(c.out_bytes, 64 + 24, "bytes");
    for (u32 i = 0; i < 3; i++)
        EXPECT_EQ(c.segs[1 + i].at.a, gmem_to_host(&r->vm, gpa(DATA + 4096ul * i)).a, "%u", i);
}

TEST(takes_and_gives_bytes)
{
    char text[32] = { 0 };

    assert_true(gmem_write(&r->vm, gpa(DATA), "abcdefghij", 10));
    desc(0, DATA, 3, DESC_NEXT, 1);
    desc(1, DATA + 3, 4, DESC_NEXT, 2);
    desc(2, DATA + 7, 3, DESC_NEXT, 3);
    desc(3, DATA + 100, 2, DESC_WRITE | DESC_NEXT, 4);
    desc(4, DATA + 200, 3, DESC_WRITE, 0);
    driver_offer(&d, 0);
    EXPECT_EQ(pop(), VIRTQ_CHAIN, "chain");
    EXPECT_EQ(chain_read(&c, text, 5), 5, "five");
    assert_memory_equal(text, "abcde", 5);
    EXPECT_EQ(c.out_bytes, 5, "left");
    EXPECT_EQ(chain_read(&c, text, 32), 5, "the rest");
    assert_memory_equal(text, "fghij", 5);
    EXPECT_EQ(chain_read(&c, text, 1), 0, "no more");
    EXPECT_EQ(chain_last_byte(&c).a, gmem_to_host(&r->vm, gpa(DATA + 202)).a, "the last byte");
    EXPECT_EQ(chain_write(&c, "wxyz", 4), 4, "four");
    EXPECT_EQ(chain_write(&c, "!", 1), 0, "no more");
    assert_true(gmem_read(&r->vm, gpa(DATA + 100), text, 2));
    assert_true(gmem_read(&r->vm, gpa(DATA + 200), text + 2, 3));
    assert_memory_equal(text, "wxyz", 5);
}

TEST(interrupts_by_flag)
{
    u16 flag = 1;

    virtq_push(&q, 0, 0);
    assert_true(virtq_wants_interrupt(&q));
    assert_true(gmem_write(&r->vm, gpa(d.avail), &flag, 2));
    virtq_push(&q, 0, 0);
    assert_false(virtq_wants_interrupt(&q));
}

// 2.7.10 for every place of the event and every number of new entries, near the wrap too.
TEST(interrupts_by_event)
{
    static const u16 starts[] = { 0, 65530, 32760 };

    q.event_index = true;
    for (size_t s = 0; s < ARRAY_LEN(starts); s++)
        for (u16 n = 0; n <= SIZE; n++)
            for (s32 event = -12; event <= 12; event++) {
                u16 value = (u16)(starts[s] + event);

                assert_true(gmem_write(&r->vm, gpa(d.avail + 4 + 2 * SIZE), &value, 2));
                q.told_used = q.next_used = starts[s];
                for (u16 i = 0; i < n; i++)
                    virtq_push(&q, 0, 0);
                EXPECT_EQ(virtq_wants_interrupt(&q), event >= 0 && event < n, "%u + %u, %d",
                          starts[s], n, event);
            }
}

static u16 used_half(u64 off)
{
    u16 value;

    assert_true(gmem_read(&r->vm, gpa(d.used + off), &value, 2));
    return value;
}

TEST(notifications)
{
    virtq_notify_set(&q, false);
    EXPECT_EQ(used_half(0), 1, "NO_NOTIFY");
    virtq_notify_set(&q, true);
    EXPECT_EQ(used_half(0), 0, "wanted");
    q.event_index = true;
    q.next_avail  = 17;
    virtq_notify_set(&q, false);
    EXPECT_EQ(used_half(4 + 8 * SIZE), 0, "the old event stays");
    virtq_notify_set(&q, true);
    EXPECT_EQ(used_half(4 + 8 * SIZE), 17, "the next one");
    EXPECT_EQ(used_half(0), 0, "the flag is not used");
}

// It may have been taken back: where it has said so before is its own memory again.
TEST(no_wish_of_a_queue_that_is_not_ready)
{
    virtq_push(&q, 0, 0);
    assert_true(virtq_wants_interrupt(&q));
    q.ready = false;
    virtq_push(&q, 0, 0);
    assert_false(virtq_wants_interrupt(&q));
    EXPECT_EQ(q.told_used, q.next_used, "and it is not asked again");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(sizes),
        RUN_ON_RIG(places),
        RUN_ON_RIG(one_chain),
        RUN_ON_RIG(indexes_wrap),
        RUN_ON_RIG(index_jumps),
        RUN_ON_RIG(heads_and_next_out_of_range),
        RUN_ON_RIG(loops),
        RUN_ON_RIG(pieces_outside),
        RUN_ON_RIG(pieces_outside_behind_others_like_them),
        RUN_ON_RIG(sums),
        RUN_ON_RIG(read_after_written),
        RUN_ON_RIG(indirect),
        RUN_ON_RIG(chains_in_any_order),
        RUN_ON_RIG(indirect_wrong),
        RUN_ON_RIG(changed_after_it_was_read),
        RUN_ON_RIG(takes_and_gives_bytes),
        RUN_ON_RIG(interrupts_by_flag),
        RUN_ON_RIG(interrupts_by_event),
        RUN_ON_RIG(notifications),
        RUN_ON_RIG(no_wish_of_a_queue_that_is_not_ready),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// Partition tables: what is read from good ones, and what becomes of damaged ones.
#include "dev/part.h"
#include "lib/bits.h"
#include "lib/crc32.h"
#include "rig/tables.h"
#include "unit.h"

#define BYTES (4 * MIB)

static u8           image[BYTES];
static struct parts got;
static u32          size = 512;
static u64          bad_block; // cannot be read; 0: all can
static unsigned     n_reads;

static bool read_block(void *arg, u64 number, const u8 **bytes)
{
    (void)arg;
    n_reads++;
    assert_true(number < BYTES / size);
    *bytes = image + number * size;
    return !bad_block || number != bad_block;
}

static void look(void)
{
    struct blocks b = { read_block, NULL, BYTES / size, size };

    n_reads = 0;
    parts_read(&b, &got);
}

#define LAST (BYTES / size - 1)

static const struct table_part two[] = { { 100, 199, "alpha" }, { 300, 349, "beta" } };

static void make_two(u32 block_size)
{
    size      = block_size;
    bad_block = 0;
    gpt_make(image, size, BYTES / size, two, 2, 128, 128);
}

static void expect_two(const char *table)
{
    look();
    assert_string_equal(got.table, table);
    EXPECT_EQ(got.n, 2, "partitions");
    for (u32 i = 0; i < 2; i++) {
        const struct part *p = &got.list[i];

        EXPECT_EQ(p->number, i + 1, "number");
        EXPECT_EQ(p->first, two[i].first * size / 512, "first");
        EXPECT_EQ(p->n_sectors, (two[i].last - two[i].first + 1) * size / 512, "sectors");
        assert_string_equal(p->label, two[i].label);
        assert_null(p->refused);
    }
    assert_string_equal(got.list[1].id, "31211101-5141-7161-8191-a1b1c1d1e1f1");
}

TEST(a_good_gpt)
{
    for (u32 block_size = 512; block_size <= 4096; block_size *= 2) {
        make_two(block_size);
        expect_two("GPT");
        assert_string_equal(got.warning, "");
    }
}

TEST(entries_of_all_sizes_and_numbers)
{
    static const u32 sizes[] = { 128, 256, 512, 1024, 4096 }, numbers[] = { 2, 3, 60, 128, 250 };

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        for (size_t j = 0; j < ARRAY_LEN(numbers); j++) {
            static const struct table_part p[] = { { 3000, 3001, "alpha" }, { 3002, 3010, "beta" } };

            size = 512;
            gpt_make(image, size, BYTES / size, p, 2, numbers[j], sizes[i]);
            look();
            assert_string_equal(got.table, "GPT");
            EXPECT_EQ(got.n, 2, "%u entries of %u bytes", numbers[j], sizes[i]);
            EXPECT_EQ(got.list[1].first, 3002, "%u entries of %u bytes", numbers[j], sizes[i]);
        }
}

// Whatever byte of it is damaged, the copy stands in, and a line says so.
TEST(each_byte_of_the_header)
{
    for (u32 at = 0; at < 92; at++) {
        make_two(at % 2 ? 512 : 4096);
        image[size + at] ^= (u8)(1 << at % 8);
        expect_two("GPT (backup)");
        assert_non_null(strstr(got.warning, "its copy"));
    }
}

TEST(bytes_of_the_entries)
{
    for (u32 at = 0; at < 128 * 128; at += 97) {
        make_two(512);
        image[2 * size + at] ^= 0x40;
        expect_two("GPT (backup)");
        assert_non_null(strstr(got.warning, "checksum of its entries"));
    }
}

// Fields with numbers that cannot be, under right checksums.
static const struct {
    u32         at, bytes;
    u64         value;
    const char *why;
} wrong[] = {
    { 0, 4, 0, "not there" },
    { 8, 4, 0x20000, "revision" },
    { 24, 8, 0, "elsewhere" },
    { 24, 8, 2, "elsewhere" },
    { 40, 8, 0, "usable" },
    { 40, 8, 1, "usable" },
    { 40, 8, ~0ul, "usable" },
    { 48, 8, 33, "usable" },
    { 48, 8, ~0ul, "usable" },
    { 48, 8, BYTES / 512 - 1, "usable" },
    { 48, 8, BYTES / 512, "usable" },
    { 72, 8, 0, "entries" },
    { 72, 8, 1, "entries" },
    { 72, 8, 100, "where partitions" },
    { 72, 8, 3, "where partitions" },
    { 72, 8, BYTES / 512 - 31, "entries" },
    { 72, 8, BYTES / 512, "entries" },
    { 72, 8, ~0ul, "entries" },
    { 72, 8, 1ul << 63, "entries" },
    { 80, 4, 0, "no entries" },
    { 80, 4, 0xffffffff, "too many" },
    { 80, 4, 8193, "too many" },
    { 80, 4, 4096, "where partitions" },
    { 84, 4, 0, "size" },
    { 84, 4, 64, "size" },
    { 84, 4, 129, "size" },
    { 84, 4, 384, "size" },
    { 84, 4, 8192, "size" },
    { 84, 4, 0x80000000, "size" },
};

// The header's checksum alone: what it calls its entries may be anywhere.
static void header_seal(u64 header)
{
    u8 *h = image + header * size;

    put32(h + 16, 0);
    put32(h + 16, crc32(h, 92));
}

static void break_field(size_t i, u64 header)
{
    u8 *h = image + header * size;

    if (wrong[i].bytes == 4)
        put32(h + wrong[i].at, (u32)wrong[i].value);
    else
        put64(h + wrong[i].at, wrong[i].value);
    header_seal(header);
}

TEST(each_field_out_of_bounds)
{
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        make_two(512);
        break_field(i, 1);
        expect_two("GPT (backup)");
        if (!strstr(got.warning, wrong[i].why))
            fail_msg("case %zu: \"%s\" does not speak of \"%s\"", i, got.warning, wrong[i].why);
        break_field(i, LAST);
        if (wrong[i].at == 24 && wrong[i].value == LAST)
            continue;
        look();
        assert_string_equal(got.table, "none");
        EXPECT_EQ(got.n, 0, "case %zu", i);
        assert_non_null(strstr(got.warning, "the copy of it are damaged"));
    }
}

TEST(header_sizes)
{
    static const struct {
        u32  bytes;
        bool good;
    } sizes[] = { { 0, false }, { 91, false }, { 92, true }, { 93, true },
                  { 512, true }, { 513, false }, { ~0u, false } };

    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        make_two(512);
        put32(image + 512 + 12, sizes[i].bytes);
        put32(image + 512 + 16, 0);
        put32(image + 512 + 16, crc32(image + 512, sizes[i].bytes <= 512 ? sizes[i].bytes : 92));
        expect_two(sizes[i].good ? "GPT" : "GPT (backup)");
    }
}

TEST(a_damaged_copy_is_told)
{
    make_two(512);
    image[LAST * size] ^= 1;
    expect_two("GPT");
    assert_non_null(strstr(got.warning, "copy of its GPT is damaged"));
    make_two(512);
    put64(image + 512 + 32, ~0ul); // it is nowhere
    header_seal(1);
    expect_two("GPT");
    assert_non_null(strstr(got.warning, "copy of its GPT is damaged"));
}

TEST(blocks_that_cannot_be_read)
{
    make_two(512);
    bad_block = 1;
    expect_two("GPT (backup)");
    bad_block = 20;
    expect_two("GPT (backup)");
    bad_block = LAST;
    expect_two("GPT");
    assert_non_null(strstr(got.warning, "copy"));
}

// Of an old table nothing is believed when the MBR does not speak of one.
TEST(a_copy_of_another_time)
{
    make_two(512);
    memset(image, 0, 1024);
    look();
    assert_string_equal(got.table, "none");
    EXPECT_EQ(got.n, 0, "partitions");
    make_two(512);
    memset(image, 0, 512);
    expect_two("GPT");
}

TEST(partitions_that_cannot_be_used)
{
    static const struct table_part p[] = {
        { 100, 199, "good" },           { 150, 250, "overlaps" },         { 33, 40, "table" },
        { 400, 300, "backwards" },      { 500, BYTES / 512, "too long" }, { ~0ul - 5, ~0ul, "far" },
        { 600, 600, "one" },            { 0, ~0ul, "all" },               { 700, 710, "a" },
        { 710, 720, "b" },              { 721, 721, "c" },                { 800, 900, "around" },
        { 850, 860, "within" },
    };
    static const char *const usable = "one c";

    size = 512, bad_block = 0;
    gpt_make(image, size, BYTES / size, p, ARRAY_LEN(p), 128, 128);
    look();
    assert_string_equal(got.table, "GPT");
    EXPECT_EQ(got.n, ARRAY_LEN(p), "partitions");
    for (unsigned i = 0; i < got.n; i++) {
        const struct part *one = &got.list[i];

        if (!one->refused != !!strstr(usable, one->label))
            fail_msg("%s: %s", one->label, one->refused ? one->refused : "not refused");
        assert_true(one->refused || part_holds(BYTES / 512, one->first, one->n_sectors));
    }
}

static const char *label_of(const u16 *units, size_t n)
{
    u8 *name = image + 2 * size + 56;

    make_two(512);
    memset(name, 0, 72);
    for (size_t i = 0; i < n; i++) {
        name[2 * i]     = (u8)units[i];
        name[2 * i + 1] = (u8)(units[i] >> 8);
    }
    gpt_seal(image, size, 1);
    look();
    return got.list[0].label;
}

TEST(labels)
{
    static const u16 umlaut[] = { 'b', 0xeb, 't', 'a' }, euro[] = { 0x20ac, 0, 'x' },
                     pair[]   = { 0xd83d, 0xde00, '!' }, half[] = { 0xd83d, 'x', 0xde00, 0xd83d },
                     escape[] = { 0x1b, '[', 0x7f, 0x85, 0x9f, 0xa0, '\n' };
    u16 full[36];

    assert_string_equal(label_of(umlaut, 4), "b\xc3\xabta");
    assert_string_equal(label_of(euro, 3), "\xe2\x82\xac");
    assert_string_equal(label_of(pair, 3), "\xf0\x9f\x98\x80!");
    assert_string_equal(label_of(half, 4), "?x??");
    assert_string_equal(label_of(escape, 7), "?[???\xc2\xa0?");
    assert_string_equal(label_of(euro, 0), "");
    for (int i = 0; i < 36; i++)
        full[i] = 0xffff;
    EXPECT_EQ(strlen(label_of(full, 36)), 108, "the longest");
    full[35] = 0xd83d;
    EXPECT_EQ(strlen(label_of(full, 36)), 106, "half a pair at the end");
}

TEST(more_partitions_than_there_is_room_for)
{
    static struct table_part p[200];

    for (u64 i = 0; i < 200; i++)
        p[i] = (struct table_part){ 1000 + i, 1000 + i, "x" };
    size = 512, bad_block = 0;
    gpt_make(image, size, BYTES / size, p, 200, 200, 128);
    look();
    EXPECT_EQ(got.n, PARTS_MAX, "listed");
    EXPECT_EQ(got.n_more, 200 - PARTS_MAX, "counted");
}

TEST(disks_too_small)
{
    for (u64 n = 0; n < 8; n++) {
        struct blocks b = { read_block, NULL, n, 512 };

        make_two(512);
        parts_read(&b, &got);
        EXPECT_EQ(got.n, 0, "of %lu blocks", (unsigned long)n);
    }
}

// --- MBR ---

static void mbr_start(u32 block_size)
{
    size      = block_size;
    bad_block = 0;
    memset(image, 0, sizeof image);
    mbr_sign(image, 0x1234abcd);
}

static u8 *block_at(u64 number)
{
    return image + number * size;
}

static void expect_part(unsigned i, u32 number, u64 first, u64 n, bool good)
{
    EXPECT_EQ(got.list[i].number, number, "entry %u", i);
    EXPECT_EQ(got.list[i].first, first * size / 512, "entry %u", i);
    EXPECT_EQ(got.list[i].n_sectors, n * size / 512, "entry %u", i);
    EXPECT_EQ(!got.list[i].refused, good, "entry %u", i);
}

TEST(a_good_mbr)
{
    for (u32 block_size = 512; block_size <= 4096; block_size *= 8) {
        mbr_start(block_size);
        mbr_entry_put(image, 0, 0x83, 8, 100);
        image[446] = 0x80; // bootable
        mbr_entry_put(image, 2, 0x07, 200, 50);
        mbr_entry_put(image, 3, 0x0f, 300, 400);
        mbr_sign(block_at(300), 0);
        mbr_entry_put(block_at(300), 0, 0x83, 1, 99);
        mbr_entry_put(block_at(300), 1, 0x05, 100, 200);
        mbr_sign(block_at(400), 0);
        mbr_entry_put(block_at(400), 0, 0x82, 8, 92);
        look();
        assert_string_equal(got.table, "MBR");
        assert_string_equal(got.warning, "");
        EXPECT_EQ(got.n, 4, "partitions");
        expect_part(0, 1, 8, 100, true);
        expect_part(1, 3, 200, 50, true);
        expect_part(2, 5, 301, 99, true);
        expect_part(3, 6, 408, 92, true);
        assert_string_equal(got.list[3].id, "1234abcd-06");
        assert_string_equal(got.list[3].label, "");
    }
}

TEST(mbr_entries_that_cannot_be_used)
{
    mbr_start(512);
    mbr_entry_put(image, 0, 0x83, 0, 100);                 // holds the table
    mbr_entry_put(image, 1, 0x83, 200, BYTES / 512 - 199); // one too many
    mbr_entry_put(image, 2, 0x83, 0xffffffff, 0xffffffff);
    mbr_entry_put(image, 3, 0x83, 100, 100);
    look();
    EXPECT_EQ(got.n, 4, "partitions");
    for (unsigned i = 0; i < 3; i++)
        assert_non_null(got.list[i].refused);
    expect_part(3, 4, 100, 100, true);
    mbr_entry_put(image, 1, 0x83, 150, BYTES / 512 - 150);
    look();
    assert_non_null(got.list[1].refused);
    assert_non_null(got.list[3].refused);
}

TEST(logical_partitions_that_cannot_be_used)
{
    mbr_start(512);
    mbr_entry_put(image, 0, 0x05, 300, 400);
    mbr_sign(block_at(300), 0);
    mbr_entry_put(block_at(300), 0, 0x83, 0, 50); // holds its own table
    mbr_entry_put(block_at(300), 1, 0x05, 100, 100);
    mbr_sign(block_at(400), 0);
    mbr_entry_put(block_at(400), 0, 0x83, 10, 291); // out of the extended one
    mbr_entry_put(block_at(400), 1, 0x05, 50, 100);
    mbr_sign(block_at(350), 0);
    mbr_entry_put(block_at(350), 0, 0x83, 10, 60); // holds the table of another
    look();
    EXPECT_EQ(got.n, 3, "partitions");
    for (unsigned i = 0; i < 3; i++)
        assert_non_null(got.list[i].refused);
    mbr_entry_put(block_at(350), 0, 0x83, 10, 40);
    look();
    assert_null(got.list[2].refused);
}

TEST(chains_that_do_not_end)
{
    mbr_start(512);
    mbr_entry_put(image, 0, 0x05, 300, 4000);
    mbr_entry_put(image, 1, 0x05, 300, 4000); // a second extended one is none
    mbr_sign(block_at(300), 0);
    mbr_entry_put(block_at(300), 0, 0x83, 1, 9);
    mbr_entry_put(block_at(300), 1, 0x05, 10, 100);
    mbr_sign(block_at(310), 0);
    mbr_entry_put(block_at(310), 0, 0x83, 1, 9);
    mbr_entry_put(block_at(310), 1, 0x05, 10, 100); // itself
    look();
    EXPECT_EQ(got.n, 2, "partitions");
    assert_null(got.list[0].refused);
    assert_non_null(strstr(got.warning, "chain"));
    mbr_entry_put(block_at(310), 1, 0x05, 4000, 100); // out of the extended one
    look();
    EXPECT_EQ(got.n, 2, "partitions");
    assert_non_null(strstr(got.warning, "chain"));
    mbr_entry_put(block_at(310), 1, 0x05, 20, 100); // no signature there
    look();
    assert_non_null(strstr(got.warning, "chain"));
    for (u32 i = 0; i < 3000; i++) {
        mbr_sign(block_at(310 + i), 0);
        mbr_entry_put(block_at(310 + i), 1, 0x05, 11 + i, 100);
    }
    look();
    assert_non_null(strstr(got.warning, "chain"));
    assert_true(n_reads <= 2 + PARTS_MAX);
}

TEST(what_is_no_table)
{
    mbr_start(512);
    look();
    assert_string_equal(got.table, "none");
    mbr_entry_put(image, 0, 0x83, 100, 100);
    image[446 + 32] = 0x41; // as text in the first block of a FAT file system
    look();
    assert_string_equal(got.table, "none");
    mbr_start(512);
    mbr_entry_put(image, 0, 0x83, 100, 100);
    image[511] = 0;
    look();
    assert_string_equal(got.table, "none");
    mbr_start(512);
    mbr_entry_put(image, 0, 0xee, 1, 0xffffffff);
    look();
    assert_string_equal(got.table, "none");
    assert_non_null(strstr(got.warning, "damaged"));
    mbr_entry_put(image, 1, 0x83, 100, 100); // beside a protective one it is not believed
    look();
    EXPECT_EQ(got.n, 0, "partitions");
}

TEST(bounds)
{
    static const u64 odd[] = { 0, 1, 2, 99, 100, 101, 1ul << 63, ~0ul - 1, ~0ul };

    for (size_t i = 0; i < ARRAY_LEN(odd); i++)
        for (size_t j = 0; j < ARRAY_LEN(odd); j++) {
            unsigned __int128 end = (unsigned __int128)odd[i] + odd[j];

            EXPECT_EQ(part_holds(100, odd[i], odd[j]), odd[j] && end <= 100, "%lx %lx",
                      (unsigned long)odd[i], (unsigned long)odd[j]);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_good_gpt),
        RUN(entries_of_all_sizes_and_numbers),
        RUN(each_byte_of_the_header),
        RUN(bytes_of_the_entries),
        RUN(each_field_out_of_bounds),
        RUN(header_sizes),
        RUN(a_damaged_copy_is_told),
        RUN(blocks_that_cannot_be_read),
        RUN(a_copy_of_another_time),
        RUN(partitions_that_cannot_be_used),
        RUN(labels),
        RUN(more_partitions_than_there_is_room_for),
        RUN(disks_too_small),
        RUN(a_good_mbr),
        RUN(mbr_entries_that_cannot_be_used),
        RUN(logical_partitions_that_cannot_be_used),
        RUN(chains_that_do_not_end),
        RUN(what_is_no_table),
        RUN(bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

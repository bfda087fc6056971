// SPDX-License-Identifier: MIT
// The small tools: CRC, seed, output, words, bits; and the choice of ISA extensions.
#include "unit.h"

#include "isa/ext.h"
#include "lib/crc32.h"
#include "lib/log.h"
#include "lib/out.h"
#include "lib/seed.h"
#include "lib/seg.h"
#include "lib/words.h"

TEST(crc_of_known_texts)
{
    EXPECT_EQ(crc32("", 0), 0, "nothing");
    EXPECT_EQ(crc32("123456789", 9), 0xcbf43926, "the check value of all catalogues");
    EXPECT_EQ(crc32("a", 1), 0xe8b7be43, "a");
    EXPECT_EQ(crc32("The quick brown fox jumps over the lazy dog", 43), 0x414fa339, "a fox");
}

TEST(crc_against_one_bit_at_a_time)
{
    u8  data[300];
    u64 seed = 2;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (u8)dice(&seed);
    for (size_t at = 0; at < 9; at++)
        for (size_t len = 0; len < 64; len++) {
            u32 crc = ~0u;

            for (size_t bit = 0; bit < 8 * len; bit++)
                crc = crc >> 1 ^ ((crc ^ data[at + bit / 8] >> bit % 8) & 1 ? 0xedb88320 : 0);
            EXPECT_EQ(crc32(data + at, len), ~crc, "at %zu, %zu bytes", at, len);
        }
}

TEST(seeds_differ)
{
    u8 got[64][32];

    seed_mix("machine", 7);
    for (int i = 0; i < 64; i++)
        seed_take(got[i], 32);
    for (int i = 0; i < 64; i++)
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(got[i], got[j], 16);
}

TEST(a_seed_is_as_long_as_asked)
{
    static const size_t lens[] = { 0, 1, 5, 31, 32, 33, 63, 64, 65, 96, 97, 300 };
    u8                  got[400], before[400];

    for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
        memset(got, 0x55, sizeof got);
        seed_take(got, lens[i]);
        for (size_t at = lens[i]; at < sizeof got; at++)
            EXPECT_EQ(got[at], 0x55, "not more than %zu", lens[i]);
        for (size_t at = 0; at + 8 <= lens[i]; at += 8)
            assert_memory_not_equal(got + at, "UUUUUUUU", 8); // not less
        memcpy(before, got, sizeof got);
        seed_take(got, lens[i]);
        assert_true(lens[i] < 8 || memcmp(before, got, lens[i]));
    }
    seed_mix(got, 0);
    seed_mix(got, 100 % sizeof got);
}

static char   text[2 * OUT_MAX];
static size_t n_text;

static void text_write(struct out *o, const char *from, size_t len)
{
    (void)o;
    assert_true(n_text + len <= sizeof text);
    memcpy(text + n_text, from, len);
    n_text += len;
}

TEST(output_is_formatted_and_cut)
{
    struct out o = { text_write };
    char       lengthy[3 * OUT_MAX];

    n_text = 0;
    out_printf(&o, "%u-%s", 7u, "x");
    EXPECT_EQ(n_text, 3, "length");
    assert_memory_equal(text, "7-x", 3);
    n_text = 0;
    out_printf(&o, "%s", "");
    EXPECT_EQ(n_text, 0, "nothing");
    memset(lengthy, 'y', sizeof lengthy);
    for (size_t len = OUT_MAX - 2; len < OUT_MAX + 3; len++) {
        n_text = 0;
        out_printf(&o, "%.*s", (int)len, lengthy);
        EXPECT_EQ(n_text, len < OUT_MAX ? len : OUT_MAX, "cut");
    }
    n_text = 0;
    log_line("lost: there is no sink");
    log_to(&o);
    log_line("%.*s", (int)sizeof lengthy, lengthy);
    log_to(NULL);
    assert_true(n_text <= OUT_MAX && text[n_text - 1] == '\n' && !memcmp(text, "duomo: ", 7));
}

TEST(words)
{
    static u64 from[64], to[64];
    u64        seed = 3;

    for (size_t i = 0; i < 64; i++)
        from[i] = dice(&seed);
    for (size_t len = 0; len < 400; len++)
        for (size_t off = 0; off < 9; off++) {
            memset(to, 0x5a, sizeof to);
            words_copy(to, (char *)from + off, len);
            assert_memory_equal(to, (char *)from + off, len);
            EXPECT_EQ(((u8 *)to)[len], 0x5a, "the byte behind");
        }
    for (size_t len = 0; len <= 512; len += 64) {
        memset(to, 0x5a, sizeof to);
        words_clear(to, len);
        for (size_t i = 0; i < sizeof to; i++)
            EXPECT_EQ(((u8 *)to)[i], i < len ? 0 : 0x5a, "byte %zu of %zu", i, len);
    }
}

// Every alignment of both, and nothing but the bytes asked for; the heap's guard sees reads behind
// the end.
TEST(bytes_wherever_they_are)
{
    for (size_t len = 0; len < 200; len++)
        for (size_t off = 0; off < 64; off++) {
            size_t a = off / 8, b = off % 8;
            u8    *from = malloc(a + len), *to = malloc(b + len + 1);

            for (size_t i = 0; i < a + len; i++)
                from[i] = (u8)(i * 37 + len);
            memset(to, 0x5a, b + len + 1);
            bytes_copy(to + b, from + a, len);
            assert_memory_equal(to + b, from + a, len);
            EXPECT_EQ(to[b + len], 0x5a, "the byte behind");
            for (size_t i = 0; i < b; i++)
                EXPECT_EQ(to[i], 0x5a, "a byte before");
            free(from);
            free(to);
        }
}

// Against the same bytes in one piece, at every place and of every length.
TEST(pieces_of_memory)
{
    static u8  whole[64], out[64];
    struct seg segs[] = { { .at = hpa((u64)whole), .len = 7 },       { .at = hpa((u64)whole + 7), .len = 0 },
                          { .at = hpa((u64)whole + 7), .len = 1 },   { .at = hpa((u64)whole + 8), .len = 40 },
                          { .at = hpa((u64)whole + 48), .len = 16 }, { .at = hpa((u64)whole + 64), .len = 0 } };

    for (u8 i = 0; i < sizeof whole; i++)
        whole[i] = i;
    for (size_t at = 0; at <= 64; at++)
        for (size_t len = 0; len <= 70; len++) {
            struct seg_walk w = { segs, ARRAY_LEN(segs), 0 };
            size_t          n = min_u64(len, 64 - at);

            EXPECT_EQ(seg_skip(&w, at), at, "skipped");
            EXPECT_EQ(seg_read(&w, out, len), n, "read at %zu of %zu", at, len);
            assert_memory_equal(out, whole + at, n);
        }

    struct seg_walk w = { segs, ARRAY_LEN(segs), 0 };

    memset(out, 0xee, sizeof out);
    EXPECT_EQ(seg_write(&w, out, 9), 9, "written");
    EXPECT_EQ(whole[8], 0xee, "the last written");
    EXPECT_EQ(whole[9], 9, "the one behind");
    EXPECT_EQ(seg_write(&w, out, 64), 55, "written to the end");
}

TEST(bits_and_fields)
{
    EXPECT_EQ(BITS(63, 0), ~0ul, "all");
    EXPECT_EQ(BITS(0, 0), 1, "one");
    EXPECT_EQ(BITS(63, 60), 0xful << 60, "high");
    EXPECT_EQ(field_get(0xabcd, BITS(11, 4)), 0xbc, "get");
    EXPECT_EQ(field_set(0xabcd, BITS(11, 4), 0x112), 0xa12d, "set cuts");
    EXPECT_EQ(bits_merge(0xff00, 0x1234, 0x0ff0), 0xf230, "merge");
    EXPECT_EQ(sign_extend(0x80, 8), ~0x7ful, "sign");
    EXPECT_EQ(sign_extend(0x7f, 8), 0x7f, "no sign");
    EXPECT_EQ(sign_extend(~0ul, 64), ~0ul, "64 bits");
    EXPECT_EQ(align_up(1, 8) | align_up(8, 8), 8, "up");
    EXPECT_EQ(align_down(15, 8), 8, "down");
}

// ISA strings

static struct isa isa;

static bool has(const char *name)
{
    const char *at = isa.text + 4, *ext;
    size_t      len;

    while ((len = isa_next(&at, &ext)))
        if (len == strlen(name) && !memcmp(ext, name, len))
            return true;
    return false;
}

TEST(isa_of_qemu_7)
{
    isa_filter("rv64imafdc_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc", true, &isa);
    assert_string_equal(isa.text, "rv64imafdc_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc");
    EXPECT_EQ(isa.has & (EXT_SSTC | EXT_F | EXT_SVPBMT | EXT_V), EXT_SSTC | EXT_F, "bits");
}

TEST(isa_of_qemu_10)
{
    static const char *const dropped[] = { "h", "sdtrig", "shcounterenw" };
    static const char *const kept[]    = { "i",      "m",      "a",      "f",     "d",     "c",
                                           "zicbom", "zicboz", "zicntr", "zihpm", "zaamo", "sstc",
                                           "zfa",    "zca",    "zcd",    "zbs",   "svadu" };

    isa_filter(
        "rv64imafdch_zic64b_zicbom_zicbop_zicboz_ziccamoa_ziccif_zicclsm_ziccrse_zicntr_zicsr_"
        "zifencei_zihintntl_zihintpause_zihpm_za64rs_zaamo_zalrsc_zawrs_zfa_zca_zcd_zba_zbb_zbc_"
        "zbs_sdtrig_shcounterenw_ssccptr_sscounterenw_sstc_sstvala_sstvecd_svadu_svvptc",
        true, &isa);
    for (size_t i = 0; i < ARRAY_LEN(dropped); i++)
        if (has(dropped[i]))
            fail_msg("%s is not virtualised", dropped[i]);
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        if (!has(kept[i]))
            fail_msg("%s needs no help", kept[i]);
    EXPECT_EQ(isa.has & (EXT_SSTC | EXT_ZICBOM | EXT_ZICBOZ | EXT_H),
              EXT_SSTC | EXT_ZICBOM | EXT_ZICBOZ, "bits");
    assert_false(has("svvptc")); // entries are filled late
}

TEST(isa_with_state_of_its_own)
{
    isa_filter("rv64imac_zkr_zk_zkn_zks_zicfilp_zicfiss_smaia_ssaia_smstateen_zcmt_xventana_ssnpm",
               true, &isa);
    assert_string_equal(isa.text, "rv64imac_zkn_zks");
}

TEST(isa_without_floating_point)
{
    isa_filter("rv64imafdqcv_zfh_zfa_zdinx_zhinx_zvl128b_zve32x_zcd_zcf_zca_zba", false, &isa);
    assert_false(has("f") || has("d") || has("q") || has("v") || has("zfh") || has("zfa") ||
                 has("zvl128b") || has("zve32x") || has("zcd"));
    assert_true(has("i") && has("m") && has("a") && has("c") && has("zba") && has("zca"));
    EXPECT_EQ(isa.has & (EXT_F | EXT_V), 0, "bits");
}

TEST(isa_hostile)
{
    static const char *const odd[] = { "",      "r",     "rv64",         "rv32imafdcv",  "RV64IMAC",
                                       "_",     "____",  "rv64_",        "rv64__i__m__", "rv64s",
                                       "rv64x", "rv64z", "rv64i2p0m2p0", "rv64\x80\xff", "imac" };
    char                     lengthy[5000] = "rv64imac";

    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        isa_filter(odd[i], true, &isa);
        assert_true(!memcmp(isa.text, "rv64", 4) && strlen(isa.text) < ISA_TEXT_MAX);
        assert_false(isa.has & EXT_V);
    }
    for (size_t n = strlen(lengthy); n < sizeof lengthy - 8; n += 7)
        memcpy(lengthy + n, "_zbkmmm", 8);
    isa_filter(lengthy, true, &isa);
    assert_true(isa.cut && strlen(isa.text) < ISA_TEXT_MAX);
    memset(lengthy + 4, 'z', sizeof lengthy - 5);
    memcpy(lengthy + 4, "zb", 2);
    lengthy[sizeof lengthy - 1] = 0;
    isa_filter(lengthy, true, &isa);
    assert_true(isa.cut);
    u64 seed = 5;
    for (int n = 0; n < 20000; n++) {
        char   s[64] = "rv64";
        size_t len   = 4 + dice_below(&seed, 50);

        for (size_t i = 4; i < len; i++)
            s[i] = "imafdcvhzsxkrtbp_0_"[dice_below(&seed, 19)];
        isa_filter(s, n & 1, &isa);
        assert_true(strlen(isa.text) < ISA_TEXT_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(crc_of_known_texts),
        RUN(crc_against_one_bit_at_a_time),
        RUN(seeds_differ),
        RUN(a_seed_is_as_long_as_asked),
        RUN(output_is_formatted_and_cut),
        RUN(words),
        RUN(bytes_wherever_they_are), RUN(pieces_of_memory), RUN(bits_and_fields),
        RUN(isa_of_qemu_7),
        RUN(isa_of_qemu_10),
        RUN(isa_with_state_of_its_own),
        RUN(isa_without_floating_point),
        RUN(isa_hostile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

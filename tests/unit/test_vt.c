// SPDX-License-Identifier: MIT
// Terminals: what a program's output may have done, how it is undone, and what of it is text.
#include "lib/vt.h"
#include "unit.h"

static char   got[4096];
static size_t n_got;

static void got_write(struct out *o, const char *text, size_t len)
{
    (void)o;
    assert_true(n_got + len < sizeof got);
    memcpy(got + n_got, text, len);
    n_got += len;
    got[n_got] = 0;
}

static struct out out = { got_write };

// What is written before a line of ours, after this output.
static const char *restored(const char *text)
{
    struct vt t = { 0 };

    n_got = 0, got[0] = 0;
    for (; *text; text++)
        vt_follow(&t, (u8)*text);
    vt_restore(&t, &out);
    EXPECT_EQ(t.dirt | t.state | t.in_line, 0, "nothing is left to do");
    return got;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

TEST(plain_lines_need_nothing)
{
    assert_string_equal(restored(""), "");
    assert_string_equal(restored("hello\r\n"), "");
    assert_string_equal(restored("caf\xc3\xa9 \xe2\x82\xac\n"), "");
    assert_string_equal(restored("hello"), "\r\n");
    assert_string_equal(restored("\x1b[1mbold\x1b[0m\r\n"), "");
    assert_string_equal(restored("\x1b[m\n"), "");
    assert_string_equal(restored("\x1b[K\n\x1b[6n\n"), "");
}

TEST(what_is_unfinished_is_ended)
{
    static const char *const texts[] = { "\x1b",         "\x1b[",      "\x1b[12;3",   "\x1b]0;title",
                                         "\x1bPdcs",     "\x1b_apc",   "\x1b^pm",     "\x1bXsos",
                                         "\x1b]0;a\x1b", "\x1b(",      "\xe2\x82",    "\x9b" "2",
                                         "\xc2\x9d" "0;", "\x1b_a\x07", "\x1bPa\x07\n" };

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        restored(texts[i]);
        if (strncmp(got, "\x18\x1b\\", 3))
            fail_msg("case %zu is not ended first", i);
    }
}

TEST(what_is_changed_is_undone)
{
    static const struct {
        const char *text, *undone;
    } cases[] = {
        { "\x1b[31mred\n", "\x1b[0m" },       { "\x1b[?25l\n", "\x1b[?25h" },
        { "\x1b[?1049h\n", "\x1b[?1047l" },   { "\x1b[?1049h\n", "\x1b[999;1H" },
        { "\x1b[5;10r\n", "\x1b[r" },         { "\x1b(0\n", "\x1b(B" },
        { "\x0e\n", "\x0f" },                 { "\x1b[?2004h\n", "\x1b[?2004l" },
        { "\x1b[?1;1000h\n", "\x1b[?1000l" }, { "\x1b[4h\n", "\x1b[4l" },
        { "\x1b[?2026h\n", "\x1b[?2026l" },   { "\x1b]11;#fff\x07\n", "\x1b]111\x1b\\" },
        { "\x1b%@\n", "\x1b%G" },             { "\x1b[>4;2m\n", "\x1b[>4m" },
        { "\x1b[?7l\n", "\x1b[?7h" },         { "\x1b[?5h\n", "\x1b[?5l" },
        { "\x1b[8m\x1b[1;0;8m\n", "\x1b[0m" },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (!has(restored(cases[i].text), cases[i].undone))
            fail_msg("case %zu is not undone", i);
    assert_false(has(restored("\x1b[?2004hx\n"), "\x1b[999"));  // a shell's paste mode moves nothing
    assert_false(has(restored("\x1b]0;title\x07\n"), "\x1b]")); // nor does a title
}

// Whatever bytes: the last thing before our line is that the cursor stands at a line's begin, and
// what we write begins no sequence that it does not end.
TEST(any_bytes)
{
    static const char likely[] = "\x1b[]P_?0;1mhl\n\r\x07\x18(BOX\\^";
    u64               seed     = 3;

    for (int n = 0; n < 20000; n++) {
        struct vt t = { 0 }, ours = { 0 };
        bool      plain = true;

        for (u64 i = dice_below(&seed, 24); i; i--) {
            u8 b = dice_below(&seed, 3) ? (u8)likely[dice_below(&seed, sizeof likely)]
                                        : (u8)dice(&seed);

            plain &= b >= 0x20 && b < 0x7f;
            vt_follow(&t, b);
        }
        n_got = 0, got[0] = 0;
        vt_restore(&t, &out);
        for (size_t i = 0; i < n_got; i++)
            vt_follow(&ours, (u8)got[i]);
        EXPECT_EQ(ours.state, VT_GROUND, "ended");
        assert_true(!plain || n_got <= 2);
    }
}

static const char *filtered(const char *text, size_t len)
{
    struct vt_filter f = { 0 };
    char             to[4];

    n_got = 0, got[0] = 0;
    for (size_t i = 0; i < len; i++)
        got_write(&out, to, vt_filter(&f, (u8)text[i], to));
    return got;
}

TEST(text_is_picked_out)
{
    static const struct {
        const char *text, *left;
    } cases[] = {
        { "plain\r\n", "plain\r\n" },
        { "a\tb\bc", "a\tb\bc" },
        { "\x1b[31mred\x1b[0m", "red" },
        { "a\x1b]0;title\x07" "b", "ab" },
        { "a\x1b]0;title\x1b\\b", "ab" },
        { "a\x1bPq...\x1b\\b", "ab" },
        { "\x1b]0;unfinished\nnext", "\nnext" },
        { "\x1b[12\nnext", "\nnext" },
        { "\x1b(0x", "x" },
        { "\x07\x01\x7f\x0e.", "." },
        { "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "\x9b" "2J", "?2J" },
        { "\xc2\x9b" "2J", "?2J" },
        { "\xc0\x80|\xe0\x80\x80|\xed\xa0\x80|\xf5", "??|?|?|?" },
        { "\xe2\x82x", "x" },
        { "a\x18" "b\x1b\x18" "c", "abc" },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(filtered(cases[i].text, strlen(cases[i].text)), cases[i].left);
    assert_string_equal(filtered("a\0b", 3), "ab");
}

// No control character but four comes through, whatever is sent; and what comes is UTF-8.
TEST(nothing_else_comes_through)
{
    u64 seed = 9;

    for (int n = 0; n < 20000; n++) {
        char text[32];

        for (size_t i = 0; i < sizeof text; i++)
            text[i] = (char)(dice_below(&seed, 4) ? dice(&seed) : 0xc2);
        filtered(text, sizeof text);
        for (size_t i = 0; i < n_got; i++) {
            u8 b = (u8)got[i];

            assert_true(b >= 0x20 || strchr("\n\r\t\b", b));
            assert_true(b != 0x7f && b != 0xc0 && b != 0xc1);
            if (b == 0xc2)
                assert_true((u8)got[i + 1] >= 0xa0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(plain_lines_need_nothing), RUN(what_is_unfinished_is_ended),
        RUN(what_is_changed_is_undone), RUN(any_bytes),
        RUN(text_is_picked_out),        RUN(nothing_else_comes_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// The line editor, against a terminal of one line; and the JSON writer.
#include "lib/json.h"
#include "lib/line.h"
#include "unit.h"

// A terminal of one line: text, cursor, and the few sequences that the editor uses.
static struct {
    char   text[512];
    size_t at, len;
    char   sequence[8];
    size_t n_sequence;
    int    bells;
} screen;

static void screen_sequence(char last)
{
    int n = atoi(screen.sequence + 1);

    if (last == 'K')
        screen.len = screen.at;
    else if (last == 'D')
        screen.at -= (size_t)n;
    else
        fail_msg("an unexpected sequence");
}

static void screen_byte(char b)
{
    if (screen.n_sequence) {
        screen.sequence[screen.n_sequence - 1] = b;
        screen.sequence[screen.n_sequence++]   = 0;
        if (b >= '@' && b != '[') {
            screen.n_sequence = 0;
            screen_sequence(b);
        }
    } else if (b == 0x1b)
        screen.n_sequence = 1;
    else if (b == '\r')
        screen.at = 0;
    else if (b == '\a')
        screen.bells++;
    else if (b != '\n') {
        screen.text[screen.at++] = b;
        screen.len               = screen.at > screen.len ? screen.at : screen.len;
    }
}

static void screen_write(struct out *o, const char *text, size_t len)
{
    (void)o;
    for (; len; len--)
        screen_byte(*text++);
}

static struct out  out = { screen_write };
static struct line line;

static enum line_event type(const char *keys)
{
    enum line_event e = LINE_MORE;

    for (; *keys; keys++)
        e = line_key(&line, (u8)*keys, &out);
    return e;
}

static void begin(void)
{
    memset(&screen, 0, sizeof screen);
    memset(&line, 0, sizeof line);
    line.prompt = "> ";
    line_begin(&line, &out);
}

// Both the line and what the terminal shows of it.
static void expect(const char *text, u32 at)
{
    assert_string_equal(line.text, text);
    EXPECT_EQ(line.at, at, "the cursor in \"%s\"", text);
    screen.text[screen.len] = 0;
    assert_string_equal(screen.text + 2, text);
    EXPECT_EQ(screen.at, at + 2, "the terminal's cursor in \"%s\"", text);
}

TEST(typing_and_moving)
{
    begin();
    type("hello");
    expect("hello", 5);
    type("\x1b[D\x1b[D-");
    expect("hel-lo", 4);
    type("\x01<\x05>");
    expect("<hel-lo>", 8);
    type("\x1b[H\x1b[C|\x1b[F|");
    expect("<|hel-lo>|", 10);
    type("\x1b[1~1\x1b[4~2\x1bOH3\x1bOF4\x1b[7~5\x1b[8~6");
    expect("531<|hel-lo>|246", 16);
    type("\x02\x02\x06x");
    expect("531<|hel-lo>|24x6", 16);
}

TEST(erasing)
{
    begin();
    type("one two three\x7f\b");
    expect("one two thr", 11);
    type("\x17");
    expect("one two ", 8);
    type("\x17");
    expect("one ", 4);
    type("\x01\x04\x1b[3~");
    expect("e ", 0);
    type("\x05xyz\x1b[D\x0b");
    expect("e xy", 4);
    type("\x1b[D\x15");
    expect("y", 0);
    type("\x05\x03");
    expect("", 0);
    type("\x7f\x17\x15\x0b\x1b[3~\x1b[D\x1b[C"); // nothing to do
    expect("", 0);
}

TEST(history)
{
    begin();
    EXPECT_EQ(type("first\r"), LINE_DONE, "Enter");
    assert_string_equal(line.text, "first");
    for (int i = 0; i < 2; i++) { // the same again counts once
        line_begin(&line, &out);
        type("second\r");
    }
    line_begin(&line, &out);
    type("\r"); // an empty one not at all
    line_begin(&line, &out);
    type("\x1b[A");
    expect("second", 6);
    type("\x1b[A\x1b[A\x1b[A");
    expect("first", 5);
    type("\x1b[B");
    expect("second", 6);
    type("!\x1b[B\x1b[B");
    expect("", 0);
    for (int i = 0; i < 40; i++) {
        line_begin(&line, &out);
        type("a");
        type(i % 2 ? "b\r" : "c\r");
    }
    line_begin(&line, &out);
    for (int i = 0; i < 40; i++)
        type("\x10");
    expect("ac", 2);
}

TEST(ends)
{
    begin();
    EXPECT_EQ(type("\x04"), LINE_LEAVE, "Ctrl-D on an empty line");
    EXPECT_EQ(type("x\t"), LINE_COMPLETE, "Tab");
    EXPECT_EQ(type("\x1b[D\x04"), LINE_MORE, "Ctrl-D in a line");
    expect("", 0);
    EXPECT_EQ(type("\n"), LINE_DONE, "a newline");
}

TEST(a_line_has_an_end)
{
    begin();
    for (int i = 0; i < 400; i++)
        type("x");
    EXPECT_EQ(line.len, LINE_SIZE - 1, "length");
    assert_true(screen.bells > 0);
    line_insert(&line, "more", 4, &out);
    EXPECT_EQ(line.len, LINE_SIZE - 1, "length");
}

// Any keys at all: the line is a text, the cursor is in it, the terminal shows the same.
TEST(any_keys)
{
    static const char likely[] = "\x1b[O~ABCDHF137\x01\x02\x05\x08\x0b\x15\x17 ab";
    u64               seed     = 17;

    begin();
    for (int n = 0; n < 200000; n++) {
        u8 b = dice_below(&seed, 3) ? (u8)likely[dice_below(&seed, sizeof likely)]
                                    : (u8)dice(&seed);

        if (line_key(&line, b, &out) == LINE_DONE) {
            memset(&screen, 0, sizeof screen);
            line_begin(&line, &out);
        }
        assert_true(line.len < LINE_SIZE && line.at <= line.len);
        EXPECT_EQ(strlen(line.text), line.len, "length");
        expect(line.text, line.at);
    }
}

// JSON

static char   text[2048];
static size_t n_text;

static void text_write(struct out *o, const char *from, size_t len)
{
    (void)o;
    memcpy(text + n_text, from, len);
    n_text += len;
    text[n_text] = 0;
}

TEST(json)
{
    struct out  to = { text_write };
    struct json j  = { .o = &to };

    n_text = 0;
    json_object(&j, NULL);
    json_text(&j, "name", "a \"b\"\\\n\x01\xff\x7f");
    json_number(&j, "n", ~0ul);
    json_array(&j, "list");
    json_object(&j, NULL);
    json_end(&j);
    json_number(&j, NULL, 0);
    json_array(&j, NULL);
    json_end(&j);
    json_end(&j);
    json_hex(&j, "pc", 0x80000000);
    json_flag(&j, "yes", true);
    json_flag(&j, "no", false);
    json_tenths(&j, "cpu", 123);
    json_end(&j);
    assert_string_equal(text, "{\"name\":\"a \\\"b\\\"\\\\\\n\\u0001\\u00ff\\u007f\","
                              "\"n\":18446744073709551615,\"list\":[{},0,[]],\"pc\":\"0x80000000\","
                              "\"yes\":true,\"no\":false,\"cpu\":12.3}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(typing_and_moving), RUN(erasing),  RUN(history), RUN(ends),
        RUN(a_line_has_an_end), RUN(any_keys), RUN(json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

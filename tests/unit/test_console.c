// SPDX-License-Identifier: MIT
// The console multiplexer: who is shown, who is typed to, and that no guest's sequence reaches a
// line of the monitor's.
#include "lib/log.h"
#include "mon/sender.h"
#include "mon/view.h"
#include "on_desk.h"

static int read_byte(struct rig *r)
{
    return r->vm.console_read(&r->vm);
}

TEST(one_is_shown_and_typed_to)
{
    assert_true(desk_print(d.r[0], "I am one\x1b[31m\n"));
    assert_true(desk_print(d.r[1], "I am two\n"));
    assert_string_equal(desk_shown(), "I am one\x1b[31m\n"); // as it is
    desk_type("ab");
    EXPECT_EQ(read_byte(d.r[1]), -1, "not to two");
    EXPECT_EQ(read_byte(d.r[0]), 'a', "to one");
    EXPECT_EQ(read_byte(d.r[0]), 'b', "to one");
    EXPECT_EQ(read_byte(d.r[0]), -1, "to one");
}

TEST(a_switch_shows_what_was_kept)
{
    desk_print(d.r[0], "shell# ");
    desk_print(d.r[1], "\x1b[31mred\x1b[6n\x1b]0;t\x07 text\r\n\xc2\x9blogin: ");
    desk_shown();
    desk_type("\x1d" "2");
    assert_string_equal(desk_shown(), "\r\n--- two ---\r\nred text\r\r\n?login: ");
    desk_type("x");
    EXPECT_EQ(read_byte(d.r[1]), 'x', "the keyboard is two's");
    desk_print(d.r[0], "more\n");
    desk_print(d.r[1], "live");
    assert_string_equal(desk_shown(), "live");
    desk_type("\x1d" "1");
    assert_string_equal(desk_shown(), "\r\n--- one ---\r\nshell# more\r\n");
    desk_type("\x1d" "9\x1d" "0\x1dz"); // nobody's, nothing
    assert_string_equal(desk_shown(), "");
    desk_type("\x1dn\x1dn");
    assert_true(has(desk_shown(), "--- three ---"));
}

TEST(what_was_seen_is_shown_in_part)
{
    char line[32];

    for (int i = 0; i < 300; i++) {
        snprintf(line, sizeof line, "line %d\n", i);
        desk_print(d.r[0], line);
        desk_print(d.r[1], line);
    }
    desk_type("\x1d" "2");
    const char *shown = desk_shown();

    assert_true(has(shown, "--- two ---\r\nline 200\r\n") && has(shown, "line 299\r\n"));
    desk_type("\x1d" "1");
    assert_true(has(desk_shown(), "--- one ---\r\nline 280\r\n"));
}

// The scroll-back is a ring: what is shown of it begins with a whole line.
TEST(a_full_scroll_back)
{
    char line[2000];

    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = 0;
    for (int i = 0; i < 40; i++) {
        desk_print(d.r[1], line);
        desk_print(d.r[1], "\nbegin");
    }
    desk_type("\x1d" "2");
    assert_true(has(desk_shown(), "--- two ---\r\nbeginxxx"));
    EXPECT_EQ(d.r[1]->vm.console->kept_in, 40 * (1999 + 6), "all was taken");
}

TEST(all_are_shown_line_by_line)
{
    desk_type("\x1d" "a");
    assert_true(has(desk_shown(), "--- all; the keyboard is one's ---"));
    desk_print(d.r[0], "half ");
    desk_print(d.r[1], "whole\r\n\r\n");
    assert_string_equal(desk_shown(), "\x1b[1;33mtwo  \x1b[0m| whole\r\n");
    desk_print(d.r[0], "a line\x1b[2J\x07\nlogin: ");
    assert_string_equal(desk_shown(), "\x1b[1;32mone  \x1b[0m| half a line\r\n");
    desk_ticks(1);
    assert_string_equal(desk_shown(), "");
    desk_ticks(2);
    assert_string_equal(desk_shown(), "\x1b[1;32mone  \x1b[0m| login: \r\n");
    desk_print(d.r[2], "10%\r20%\ra\tbc\b\bd\n");
    assert_string_equal(desk_shown(), "\x1b[1;34mthree\x1b[0m| a d\r\n");
    desk_type("k");
    EXPECT_EQ(read_byte(d.r[0]), 'k', "the keyboard is still one's");
    console_quiet(&d.r[2]->vm);
    desk_print(d.r[2], "unseen\n");
    assert_string_equal(desk_shown(), "");
}

TEST(a_long_line_comes_in_parts)
{
    desk_type("\x1d" "a");
    desk_shown();
    for (int i = 0; i < 450; i++)
        desk_print(d.r[0], "\xc3\xa9");
    desk_print(d.r[0], "\n");
    const char *shown = desk_shown();
    unsigned    lines = 0;

    for (const char *at = shown; (at = strstr(at, "one  \x1b[0m| \xc3\xa9")); at++)
        lines++;
    EXPECT_EQ(lines, 5, "900 bytes in lines of at most %d", CONSOLE_LINE);
}

// Whatever a guest prints: where all are shown, only lines that begin with its name come.
TEST(no_sequence_in_all)
{
    static const char likely[] = "\x1b[]_P?0;mhl\n\r";
    u64               seed     = 5;

    desk_type("\x1d" "a");
    desk_shown();
    for (int n = 0; n < 20000; n++) {
        char b = dice_below(&seed, 4) ? likely[dice_below(&seed, sizeof likely)] : (char)dice(&seed);

        d.r[1]->vm.console_write(&d.r[1]->vm, &b, 1);
    }
    for (char *line = strtok((char *)desk_shown(), "\n"); line; line = strtok(NULL, "\n")) {
        static const char begin[] = "\x1b[1;33mtwo  \x1b[0m| ";

        assert_memory_equal(line, begin, sizeof begin - 1);
        assert_false(strchr(line + sizeof begin - 1, 0x1b));
    }
}

TEST(a_line_of_the_log_stands_alone)
{
    desk_print(d.r[0], "text \x1b]0;unfinished");
    desk_shown();
    log_line("hello");
    assert_string_equal(desk_shown(), "\x18\x1b\\\x1b[0m\r\nduomo: hello\r\n");
    desk_print(d.r[0], "\x1b[?1049h\x1b[5;6r");
    desk_shown();
    log_line("again");
    const char *shown = desk_shown();

    assert_true(has(shown, "\x1b[?1047l") && has(shown, "\x1b[r"));
    assert_string_equal(shown + strlen(shown) - 16, "\r\nduomo: again\r\n");
    log_line("plain");
    assert_string_equal(desk_shown(), "duomo: plain\r\n");
}

TEST(who_is_not_shown_waits_for_nobody)
{
    chips.serial_room = 0;
    assert_false(desk_print(d.r[0], "x"));
    assert_true(desk_print(d.r[1], "x"));
    desk_type("\x1d" "2"); // waits in the sender
    assert_true(desk_print(d.r[0], "x"));
    assert_false(desk_print(d.r[1], "x"));
    assert_string_equal(desk_shown(), "");
    desk_ready();
    assert_string_equal(desk_shown(), "--- two ---\r\nx");
    assert_true(desk_print(d.r[1], "x"));
}

TEST(the_log_waits_in_the_sender)
{
    chips.serial_room = 0;
    for (int i = 0; i < 2000; i++)
        log_line("line %d of a log that nobody reads, and so it becomes too long", i);
    assert_string_equal(desk_shown(), "");
    EXPECT_EQ(sender_waiting(), SENDER_SIZE, "it is full");
    assert_true(sender_lost() > 0);
    assert_true(chips.is_held || (desk_type("x"), chips.is_held));
    desk_ready();
    assert_true(has(desk_shown(), "duomo: line 10 of"));
    assert_false(chips.is_held);
}

TEST(nothing_typed_is_lost)
{
    for (int i = 0; i < CONSOLE_TYPED; i++) {
        assert_false(chips.is_held);
        desk_type(i % 2 ? "a" : "b");
    }
    assert_true(chips.is_held); // the rest stays with the sender
    for (int i = 0; i < CONSOLE_TYPED; i++) {
        EXPECT_EQ(chips.is_held, i < CONSOLE_TYPED / 2, "held after %d", i);
        EXPECT_EQ(read_byte(d.r[0]), i % 2 ? 'a' : 'b', "byte %d", i);
    }
}

// Or the keys that lead away from it would not come through.
TEST(a_deaf_vm_does_not_hold_the_line)
{
    for (int i = 0; i < CONSOLE_TYPED; i++)
        desk_type("a");
    assert_true(chips.is_held);
    desk_ticks(11);
    assert_false(chips.is_held);
    desk_shown();
    desk_type("b");
    assert_string_equal(desk_shown(), "\a");
    desk_type("\x1d" "2y");
    EXPECT_EQ(read_byte(d.r[1]), 'y', "the keyboard is two's");
    EXPECT_EQ(read_byte(d.r[0]), 'a', "what came first is kept");
    desk_type("\x1d" "1c");
    for (int i = 1; i < CONSOLE_TYPED; i++)
        EXPECT_EQ(read_byte(d.r[0]), 'a', "byte %d", i);
    EXPECT_EQ(read_byte(d.r[0]), 'c', "and there is room again");
}

TEST(a_switch_ends_the_hold)
{
    for (int i = 0; i < CONSOLE_TYPED; i++)
        desk_type("a");
    assert_true(chips.is_held);
    view_vm(&d.r[1]->vm);
    desk_ready();
    assert_false(chips.is_held);
    view_vm(&d.r[0]->vm);
    desk_ready();
    assert_true(chips.is_held);
}

TEST(keys)
{
    desk_type("\x1d?");
    const char *shown = desk_shown();

    assert_true(has(shown, "duomo: Ctrl-] a ") && has(shown, "three"));
    desk_type("\x1d]");
    EXPECT_EQ(read_byte(d.r[0]), 0x1d, "a literal one");
    desk_type("\x1dqn");
    shown = desk_shown();
    assert_true(has(shown, "(y/n) no") && has(shown, "--- one ---"));
    chips.may_power_off = true;
    if (!setjmp(chips.powered_off)) {
        desk_type("\x1dqy");
        fail_msg("the machine is still on");
    }
    assert_true(has(desk_shown(), "powered off by the operator"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(one_is_shown_and_typed_to),
        RUN_ON_RIG(a_switch_shows_what_was_kept),
        RUN_ON_RIG(what_was_seen_is_shown_in_part),
        RUN_ON_RIG(a_full_scroll_back),
        RUN_ON_RIG(all_are_shown_line_by_line),
        RUN_ON_RIG(a_long_line_comes_in_parts),
        RUN_ON_RIG(no_sequence_in_all),
        RUN_ON_RIG(a_line_of_the_log_stands_alone),
        RUN_ON_RIG(who_is_not_shown_waits_for_nobody),
        RUN_ON_RIG(the_log_waits_in_the_sender),
        RUN_ON_RIG(nothing_typed_is_lost),
        RUN_ON_RIG(a_deaf_vm_does_not_hold_the_line),
        RUN_ON_RIG(a_switch_ends_the_hold),
        RUN_ON_RIG(keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

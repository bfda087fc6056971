// SPDX-License-Identifier: MIT
// The prompt.
//
// In:     keys; ticks.
// Out:    commands; their answers on the terminal.
// Always: while it is open no guest is shown, so every line is the monitor's.
// Locks:  boot hart only; view.lock for what is sent.
#include "mon/prompt.h"

#include "lib/line.h"
#include "mon/command.h"
#include "mon/complete.h"
#include "mon/job.h"
#include "mon/sender.h"
#include "mon/view.h"

#define TOP_TICKS 5

static enum { AT_PROMPT, AT_TOP, AT_QUESTION } where;
static bool        was_open; // before the question
static unsigned    top_ticks;
static struct line line = { .prompt = "duomo> " };

static void monitor_write(struct out *o, const char *text, size_t len)
{
    (void)o;
    lock_take(&view.lock);
    sender_text.write(&sender_text, text, len);
    lock_drop(&view.lock);
}

static struct out monitor = { monitor_write };

static void prompt_show(void)
{
    view.stale = false;
    line_show(&line, &monitor);
}

void prompt_open(void)
{
    static bool known;

    where = AT_PROMPT;
    view_monitor();
    if (!known)
        out_printf(&monitor, "The monitor: `help` lists the commands; Ctrl-D goes back.\n");
    known = true;
    line_begin(&line, &monitor);
}

void prompt_ask_off(void)
{
    was_open = view.monitor;
    where    = AT_QUESTION;
    if (!view.monitor)
        view_monitor();
    out_printf(&monitor, "\r\x1b[KPower the machine off? (y/n) ");
}

static void question_end(void)
{
    if (was_open)
        prompt_show();
    else
        view_back();
}

static void question_key(u8 byte)
{
    static const struct command_user me = { COMMAND_TEXT, NULL, NULL, question_end };

    where = AT_PROMPT;
    out_printf(&monitor, byte == 'y' || byte == 'Y' ? "yes\n" : "no\n");
    if (byte == 'y' || byte == 'Y')
        command_begin("off", &me);
    else
        question_end();
}

static void top_begin(struct out *o)
{
    out_printf(o, "\x1b[H\x1b[J");
}

static void top_end(struct out *o, bool succeeded)
{
    (void)succeeded;
    out_printf(o, "\nAny key ends this.\n");
}

static void nothing(void)
{
}

static void top_show(void)
{
    static const struct command_user me = { COMMAND_TEXT, top_begin, top_end, nothing };

    command_begin("list", &me);
}

void prompt_top(void)
{
    where     = AT_TOP;
    top_ticks = TOP_TICKS - 1;
}

static void entered(void)
{
    if (view.monitor && where == AT_PROMPT)
        line_begin(&line, &monitor);
}

static void enter(void)
{
    static const struct command_user me = { COMMAND_PROMPT, NULL, NULL, entered };

    command_begin(line.text, &me);
}

static void line_clear(struct out *o)
{
    out_printf(o, "\r\x1b[K");
}

void prompt_run(const char *command)
{
    static const struct command_user me = { COMMAND_TEXT, line_clear, NULL, prompt_show };

    if (where == AT_PROMPT)
        command_begin(command, &me);
}

static void top_key(void)
{
    where      = AT_PROMPT;
    view.stale = false;
    line_begin(&line, &monitor);
}

static void line_take(u8 byte)
{
    if (view.stale)
        prompt_show();
    switch (line_key(&line, byte, &monitor)) {
    case LINE_MORE:     break;
    case LINE_DONE:     enter(); break;
    case LINE_COMPLETE: complete(&line, &monitor); break;
    case LINE_LEAVE:    view_back(); break;
    }
}

void prompt_key(u8 byte)
{
    switch (where) {
    case AT_PROMPT:   line_take(byte); break;
    case AT_TOP:      top_key(); break;
    case AT_QUESTION: question_key(byte); break;
    }
}

static bool line_is_free(void)
{
    lock_take(&view.lock);
    bool is_free = !sender_waiting();

    lock_drop(&view.lock);
    return is_free;
}

void prompt_tick(void)
{
    if (!view.monitor || job_is_on())
        return;
    if (where == AT_PROMPT && view.stale)
        prompt_show();
    if (where == AT_TOP && ++top_ticks >= TOP_TICKS && line_is_free()) {
        top_ticks = 0;
        top_show();
    }
}

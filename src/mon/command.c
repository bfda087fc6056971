// SPDX-License-Identifier: MIT
// Commands: from a line to a row's function.
//
// In:     a line that a person or a program has sent.
// Out:    what the command tells; or one sentence that says what is wrong with the line.
// Always: a command is short and waits for nothing: it runs in the serial line's interrupt.
// Locks:  boot hart only, none held; commands take those they need.
#include "mon/command.h"

#include "dev/power.h"
#include "lib/log.h"
#include "mon/commands.h"
#include "mon/console.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 320
#define WORDS          (COMMAND_ARGS + 2) // one too many is an error

static const struct command_group *const groups[] = {
    &vm_commands,    &stats_commands, &regs_commands,    &mem_commands,
    &trace_commands, &crash_commands, &machine_commands,
};

static bool off_wanted;

const struct command *command_at(unsigned n)
{
    for (size_t g = 0; g < ARRAY_LEN(groups); g++) {
        if (n < groups[g]->n)
            return &groups[g]->rows[n];
        n -= (unsigned)groups[g]->n;
    }
    return NULL;
}

const struct command *command_find(const char *name)
{
    const struct command *c;

    for (unsigned n = 0; (c = command_at(n)); n++)
        if (!strcmp(c->name, name))
            return c;
    return NULL;
}

const char *command_usage(const struct command *c)
{
    static char text[80];
    size_t      len = (size_t)snprintf(text, sizeof text, "%s", c->name);

    for (unsigned i = 0; i < COMMAND_ARGS && c->args[i].kind && len < sizeof text; i++)
        len += (size_t)snprintf(text + len, sizeof text - len,
                                c->args[i].may_lack ? " [%s]" : " %s", c->args[i].name);
    return text;
}

bool call_fail(struct call *c, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(c->why, sizeof c->why, format, args);
    va_end(args);
    return false;
}

// Cuts the line into words, in place.
static unsigned words_cut(char *line, char *words[WORDS])
{
    unsigned n = 0;

    for (char *at = line; *at && n < WORDS;) {
        at += strspn(at, " ");
        if (!*at)
            break;
        words[n++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = 0;
    }
    return n;
}

static bool args_take(struct call *c, char *words[], unsigned n)
{
    const struct arg *a = c->command->args;

    for (unsigned i = 0; i < COMMAND_ARGS && a[i].kind; i++) {
        if (i >= n && !a[i].may_lack)
            return call_fail(c, "it lacks \"%s\"; usage: %s", a[i].name, command_usage(c->command));
        if (i < n && !arg_parse(c, &a[i], words[i], &c->args[i]))
            return false;
    }
    if (n > COMMAND_ARGS || (n && !a[n - 1].kind))
        return call_fail(c, "there are too many words; usage: %s", command_usage(c->command));
    return true;
}

// JSON for commands that have but text: it becomes one.
static void text_escape(struct out *o, const char *text, size_t len);
static struct {
    struct out  o;
    struct out *to;
} escaped = { .o = { text_escape } };

static void text_escape(struct out *o, const char *text, size_t len)
{
    (void)o;
    json_escape(escaped.to, text, len);
}

// Runs it with its answer in the form that was asked for.  (Not even a brace before it is known not
// to fail would be simpler; but what fails tells nothing, so what is open can be closed.)
static bool answer(struct call *c, struct out *o)
{
    bool is_ok, json = c->form == COMMAND_JSON;

    report_open(&c->r, o, json);
    if (json && !c->command->reports) {
        out_printf(o, "\"text\":\"");
        escaped.to = o;
        c->r.o     = &escaped.o;
    }
    is_ok  = c->command->run(c);
    c->r.o = o;
    if (json && !c->command->reports)
        out_printf(o, "\"%s", is_ok ? "" : ",");
    if (json && !is_ok)
        json_text(&c->r.j, "error", c->why);
    report_close(&c->r);
    return is_ok;
}

static bool fail(struct call *c, struct out *o, const char *name)
{
    if (c->form != COMMAND_JSON) {
        out_printf(o, "%s: %s\n", name, c->why);
        return false;
    }
    report_open(&c->r, o, true);
    json_text(&c->r.j, "error", c->why);
    report_close(&c->r);
    return false;
}

bool command_run(const char *line, struct out *o, enum command_form form)
{
    static struct call c;
    char               text[LINE_MAX_BYTES], *words[WORDS];
    unsigned           n;

    memset(&c, 0, sizeof c);
    c.form = form;
    snprintf(text, sizeof text, "%s", line);
    n = words_cut(text, words);
    if (!n)
        return form == COMMAND_PROMPT ||
               (call_fail(&c, "there is no command in it"), fail(&c, o, "request"));
    c.command = command_find(words[0]);
    if (!c.command)
        return call_fail(&c, "there is no such command; `help` lists them"), fail(&c, o, words[0]);
    if (!args_take(&c, words + 1, n - 1))
        return fail(&c, o, words[0]);
    if (answer(&c, o))
        return true;
    if (form != COMMAND_JSON)
        out_printf(o, "%s: %s\n", words[0], c.why);
    return false;
}

void command_want_off(void)
{
    off_wanted = true;
}

void command_finish(void)
{
    if (!off_wanted)
        return;
    off_wanted = false;
    log_line("powered off by the operator");
    console_drain();
    power_off(0);
}

// SPDX-License-Identifier: MIT
// Commands: from a line to a row's function.
//
// In:     a line that a person or a program has sent.
// Out:    what the command tells; or one sentence that says what is wrong with the line.
// Always: a command waits for nothing and is executed in parts, each of them short: see job.h.
// Locks:  boot hart only, none held; commands take those they need.
#include "mon/command.h"

#include "dev/power.h"
#include "lib/log.h"
#include "mon/commands.h"
#include "mon/console.h"
#include "mon/job.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 320
#define WORDS          (COMMAND_ARGS + 2) // one too many is an error

static const struct command_group *const groups[] = {
    &vm_commands,    &stats_commands, &regs_commands, &mem_commands,
    &trace_commands, &crash_commands, &io_commands,   &machine_commands,
};

static bool off_wanted;
static struct {
    void (*show)(struct vm *vm);
    struct vm *vm;
} view_wanted;

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

// The one that is being executed.
static struct call                call;
static char                       line_text[LINE_MAX_BYTES]; // words of arguments are in here
static const struct command_user *user;

static bool is_plain(const struct call *c)
{
    return c->form == COMMAND_JSON && !c->command->reports;
}

static void fail_tell(struct call *c, struct out *o, const char *name)
{
    if (c->form != COMMAND_JSON) {
        out_printf(o, "%s: %s\n", name, c->why);
        return;
    }
    report_open(&c->r, o, true);
    json_text(&c->r.j, "error", c->why);
    report_close(&c->r);
}

// What is open is closed.  (What fails has told nothing, so its reason can still come behind.)
static void answer_close(struct call *c, struct out *o, enum told told)
{
    bool json = c->form == COMMAND_JSON;

    if (is_plain(c))
        out_printf(o, "\"%s", told ? "" : ",");
    if (json && !told)
        json_text(&c->r.j, "error", c->why);
    report_close(&c->r);
    if (!json && !told)
        out_printf(o, "%s: %s\n", c->command->name, c->why);
}

static enum told answer_part(struct call *c, struct out *o)
{
    enum told told;

    if (!c->part)
        report_open(&c->r, o, c->form == COMMAND_JSON);
    if (!c->part && is_plain(c))
        out_printf(o, "\"text\":\"");
    escaped.to = o;
    c->r.o     = is_plain(c) ? &escaped.o : o;
    told       = c->command->run(c);
    c->r.o     = o;
    c->part++;
    if (told != TOLD_PART)
        answer_close(c, o, told);
    return told;
}

// False: there is no command in the line that could be executed; why was told.
static bool line_parse(struct call *c, struct out *o)
{
    char    *words[WORDS];
    unsigned n = words_cut(line_text, words);

    if (!n) {
        (void)call_fail(c, "there is no command in it");
        if (c->form != COMMAND_PROMPT)
            fail_tell(c, o, "request");
        return false;
    }
    c->command = command_find(words[0]);
    if (!c->command)
        (void)call_fail(c, "there is no such command; `help` lists them");
    else if (args_take(c, words + 1, n - 1))
        return true;
    fail_tell(c, o, words[0]);
    return false;
}

static bool part(struct out *o, unsigned n)
{
    enum told told = TOLD_NOT;

    if (!n && user->begin)
        user->begin(o);
    if (n || line_parse(&call, o))
        told = answer_part(&call, o);
    if (told == TOLD_PART)
        return true;
    if (user->end)
        user->end(o, told == TOLD_ALL);
    return false;
}

static void off(void)
{
    log_line("powered off by the operator");
    console_drain();
    power_off(0);
}

static void done(void)
{
    void (*show)(struct vm * vm) = view_wanted.show;

    if (off_wanted) {
        off_wanted = false;
        off();
    }
    view_wanted.show = NULL;
    if (show)
        show(view_wanted.vm);
    user->done();
}

void command_begin(const char *line, const struct command_user *who)
{
    static const struct job job = { part, done };

    if (job_is_on())
        return;
    user = who;
    memset(&call, 0, sizeof call);
    call.form = who->form;
    snprintf(line_text, sizeof line_text, "%s", line);
    job_begin(&job);
}

void command_want_off(void)
{
    off_wanted = true;
}

void command_want_view(void (*show)(struct vm *vm), struct vm *vm)
{
    view_wanted.show = show;
    view_wanted.vm   = vm;
}

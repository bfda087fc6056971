// SPDX-License-Identifier: MIT
// Completion of commands, and of arguments by their kind.
//
// In:     a line, its cursor.
// Out:    the line, with what is clear of the word; or a list of what it could be.
// Always: only words that the command would take are offered.
// Locks:  none; boot hart only.
#include "mon/complete.h"

#include "mon/command.h"
#include "mon/job.h"

#include <string.h>

// Where the word before the cursor begins, and which one of the line it is.
struct spot {
    const char   *word;
    size_t        len;
    enum arg_kind kind; // ARG_NONE: there is nothing to offer
};

static enum arg_kind kind_of(const char *line, unsigned number)
{
    const struct command *c;
    char                  name[32];
    size_t                len = strcspn(line, " ");

    if (!number)
        return ARG_COMMAND;
    if (len >= sizeof name || number > COMMAND_ARGS)
        return ARG_NONE;
    memcpy(name, line, len);
    name[len] = 0;
    c         = command_find(name);
    return c ? c->args[number - 1].kind : ARG_NONE;
}

static struct spot place_find(const struct line *l)
{
    const char *begin = l->text + strspn(l->text, " "), *word = begin;
    unsigned    number = 0;

    for (const char *at = begin; at < l->text + l->at; at++)
        if (*at == ' ') {
            number += at[1] != ' ';
            word = at + 1;
        }
    if (word > l->text + l->at)
        word = l->text + l->at;
    return (struct spot){ word, (size_t)(l->text + l->at - word), kind_of(begin, number) };
}

static bool fits(const struct spot *p, const char *candidate)
{
    return !strncmp(candidate, p->word, p->len);
}

// How much all candidates have in common beyond what is typed; *first is one of them.
static size_t common(const struct spot *p, const char **first, unsigned *n_fit)
{
    const char *c;
    size_t      len = 0;

    *n_fit = 0;
    for (unsigned n = 0; (c = arg_candidate(p->kind, n)); n++) {
        if (!fits(p, c))
            continue;
        if (!(*n_fit)++) {
            *first = c;
            len    = strlen(c);
        }
        for (size_t i = 0; i < len; i++)
            if (c[i] != (*first)[i])
                len = i;
    }
    return len > p->len ? len - p->len : 0;
}

// The list of what it could be, one in each part.
static struct {
    char               word[LINE_SIZE];
    struct spot        spot;
    const struct line *line;
    struct out        *to;
} offered;

static bool offer_part(struct out *o, unsigned n)
{
    const char *c = arg_candidate(offered.spot.kind, n);

    if (!n)
        out_printf(o, "\n");
    if (c && fits(&offered.spot, c))
        out_printf(o, "%s  ", c);
    if (!c)
        out_printf(o, "\n");
    return c;
}

static void offer_done(void)
{
    line_show(offered.line, offered.to);
}

static void offer(const struct spot *p, const struct line *l, struct out *o)
{
    static const struct job job = { offer_part, offer_done };

    memcpy(offered.word, p->word, p->len);
    offered.spot      = *p;
    offered.spot.word = offered.word;
    offered.line      = l;
    offered.to        = o;
    job_begin(&job);
}

void complete(struct line *l, struct out *o)
{
    struct spot p     = place_find(l);
    const char *first = "";
    unsigned    n_fit = 0;
    size_t      more  = p.kind ? common(&p, &first, &n_fit) : 0;

    if (more)
        line_insert(l, first + p.len, more, o);
    if (n_fit == 1)
        line_insert(l, " ", 1, o);
    else if (n_fit && !more)
        offer(&p, l, o);
    else if (!n_fit)
        out_printf(o, "\a");
}

// SPDX-License-Identifier: MIT
// In:     a place (a line of a file, an option) and what is wrong there; sizes; untrusted text.
// Out:    exactly one line on stderr per mistake; text on stdout.
// Always: nothing that came out of a file reaches the terminal unfiltered. Mistakes in a file come
//         in the order of its lines, whatever the order in which they were found.

#define _GNU_SOURCE                 // vasprintf

#include "say.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { MISTAKES_MAX = 100 };

struct mistake {
    unsigned line, order;
    char    *text;
};

static struct mistake mistakes[MISTAKES_MAX];
static unsigned n_mistakes;

// Control characters become '?': those of ASCII, and U+0080 to U+009F, which are C2 80 to C2 9F.
static void text_disarm(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++)
        if (*c < ' ' || *c == 0x7f)
            *c = '?';
        else if (c[0] == 0xc2 && c[1] >= 0x80 && c[1] <= 0x9f)
            c[0] = c[1] = '?';
}

// Takes the message over.
static void mistake_keep(const struct place *at, char *message)
{
    struct mistake *m = &mistakes[n_mistakes];
    char *text;

    if (n_mistakes < MISTAKES_MAX
        && asprintf(&text, "%s:%u: %s%s%s", at->file, at->line, at->subject ? at->subject : "",
                    at->subject ? ": " : "", message) >= 0) {
        *m = (struct mistake) { at->line, n_mistakes++, text };
        text_disarm(m->text);
    }
    free(message);
}

static bool mistake_add(const struct place *at, const char *format, va_list args)
{
    char *message;

    if (vasprintf(&message, format, args) < 0)
        return false;
    if (at->line) {
        mistake_keep(at, message);
        return false;
    }
    text_disarm(message);
    fprintf(stderr, "duomo: %s: %s\n", at->subject, message);
    free(message);
    return false;
}

bool wrong_at(const struct place *at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    mistake_add(at, format, args);
    va_end(args);
    return false;
}

bool wrong(const char *subject, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    mistake_add(&(struct place) { .subject = subject }, format, args);
    va_end(args);
    return false;
}

bool mistakes_are_many(void)
{
    return n_mistakes == MISTAKES_MAX;
}

static int mistake_compare(const void *a, const void *b)
{
    const struct mistake *x = a, *y = b;

    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

void mistakes_tell(void)
{
    qsort(mistakes, n_mistakes, sizeof mistakes[0], mistake_compare);
    for (unsigned i = 0; i < n_mistakes; i++)
        fprintf(stderr, "%s\n", mistakes[i].text);
    if (mistakes_are_many())
        wrong("more", "there may be more mistakes; correct these %d first", MISTAKES_MAX);
    mistakes_forget();
}

void mistakes_forget(void)
{
    while (n_mistakes)
        free(mistakes[--n_mistakes].text);
}

struct size_text size_text(uint64_t bytes)
{
    static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
    struct size_text t;
    uint64_t unit = 1024;
    int i = 0;

    if (bytes < unit) {
        snprintf(t.s, sizeof t.s, "%" PRIu64 " bytes", bytes);
        return t;
    }
    while (i < 3 && bytes / 1024 >= unit) {
        unit *= 1024;
        i++;
    }
    snprintf(t.s, sizeof t.s, "%.*f %s", bytes % unit ? 1 : 0, (double)bytes / (double)unit,
             units[i]);
    return t;
}

void print_text(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        putchar(text[i] >= ' ' && text[i] <= '~' ? text[i] : '?');
}

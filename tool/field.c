// SPDX-License-Identifier: MIT
// In:     the text of one field, from the command line or a file.
// Out:    its value, where the row says; or one line that says what is wrong and what is right.
// Always: a value that was taken is within its row's limits.

#define _POSIX_C_SOURCE 200809L

#include "field.h"

#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1ull << 20)

static const struct {
    char letter;
    int  shift;
} size_suffixes[] = { { 'K', 10 }, { 'M', 20 }, { 'G', 30 }, { 'T', 40 } };

static uint64_t *number_of(const struct field *f, void *into)
{
    return (uint64_t *)((char *)into + f->offset);
}

static const char **text_of(const struct field *f, void *into)
{
    return (const char **)((char *)into + f->offset);
}

// A size as people type it: "256M".
static void size_write(uint64_t size, char *text, size_t room)
{
    int i = 3;

    while (i >= 0 && (size % (1ull << size_suffixes[i].shift) || !size))
        i--;
    if (i < 0)
        snprintf(text, room, "%" PRIu64, size);
    else
        snprintf(text, room, "%" PRIu64 "%c", size >> size_suffixes[i].shift,
                 size_suffixes[i].letter);
}

static bool name_take(const struct field *f, const struct place *at, const char *text, void *into)
{
    size_t length = strlen(text);

    if (length == 0 || length > NAME_LENGTH_MAX)
        return wrong_at(at, "a name of %zu characters; 1 to %d would be right", length,
                        NAME_LENGTH_MAX);
    if (!isalpha((unsigned char)text[0]))
        return wrong_at(at, "the name '%s' does not begin with a letter; 'vm1' would do", text);
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
            return wrong_at(at, "'%c' in the name '%s'; use letters, digits, '-' and '_'",
                            isprint((unsigned char)*c) ? *c : '?', text);

    *text_of(f, into) = text;
    return true;
}

static void name_limits(const struct field *f, char *text, size_t size)
{
    (void)f;
    snprintf(text, size, "a letter first; letters, digits, '-', '_'; at most %d", NAME_LENGTH_MAX);
}

static bool text_take(const struct field *f, const struct place *at, const char *text, void *into)
{
    size_t length = strlen(text);

    if (length > f->max)
        return wrong_at(at, "%zu bytes are too many; at most %" PRIu64 " would be right", length,
                        f->max);
    *text_of(f, into) = text;
    return true;
}

static void text_limits(const struct field *f, char *text, size_t size)
{
    snprintf(text, size, "at most %" PRIu64 " bytes", f->max);
}

static bool path_take(const struct field *f, const struct place *at, const char *text, void *into)
{
    if (!*text)
        return wrong_at(at, "an empty path; name a file");
    *text_of(f, into) = text;
    return true;
}

// "auto or classic", "yes, no or keyboard"
static void words_write(const char *const *words, char *text, size_t size)
{
    size_t at = 0;

    for (int i = 0; words[i] && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%s",
                               i == 0 ? "" : words[i + 1] ? ", " : " or ", words[i]);
}

static void word_limits(const struct field *f, char *text, size_t size)
{
    words_write(f->words, text, size);
}

static bool word_take(const struct field *f, const struct place *at, const char *text, void *into)
{
    char right[80];

    for (int i = 0; f->words[i]; i++)
        if (strcmp(text, f->words[i]) == 0) {
            *text_of(f, into) = f->words[i];
            return true;
        }
    words_write(f->words, right, sizeof right);
    return wrong_at(at, "there is no %s '%.*s'; %s would be right", f->name, CLIP(text), right);
}

static bool digits_parse(const char *text, uint64_t *value, const char **rest)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    char *end;

    if (!isdigit((unsigned char)text[0]) || (hex && !isxdigit((unsigned char)text[2])))
        return false;
    errno = 0;
    *value = strtoull(text, &end, hex ? 16 : 10);
    *rest = end;
    return errno == 0;
}

// Numbers that are likely to be addresses are shown as such.
static void number_write(uint64_t n, char *text, size_t size)
{
    snprintf(text, size, n >= MIB ? "0x%" PRIx64 : "%" PRIu64, n);
}

static void number_limits(const struct field *f, char *text, size_t size)
{
    char min[24], max[24];

    number_write(f->min, min, sizeof min);
    number_write(f->max, max, sizeof max);
    if (f->min == f->max)
        snprintf(text, size, "%s", min);
    else
        snprintf(text, size, "%s to %s", min, max);
}

static bool number_check(const struct field *f, const struct place *at, const char *text,
                         uint64_t n)
{
    char right[64];

    number_limits(f, right, sizeof right);
    if (n < f->min || n > f->max)
        return wrong_at(at, "%.*s is out of range; %s would be right", CLIP(text), right);
    if (f->step && n % f->step)
        return wrong_at(at, "%.*s is not a multiple of %" PRIu64 "; 0x%" PRIx64 " would be",
                        CLIP(text), f->step, n - n % f->step + f->step);
    return true;
}

static bool wrong_number(const struct field *f, const struct place *at, const char *text)
{
    char right[64];

    number_limits(f, right, sizeof right);
    return wrong_at(at, "'%.*s' is not a number; %s would be right", CLIP(text), right);
}

static bool number_take(const struct field *f, const struct place *at, const char *text, void *into)
{
    const char *rest;
    uint64_t n;

    if (!digits_parse(text, &n, &rest) || *rest)
        return wrong_number(f, at, text);
    if (!number_check(f, at, text, n))
        return false;
    *number_of(f, into) = n;
    return true;
}

static bool percent_take(const struct field *f, const struct place *at, const char *text,
                         void *into)
{
    const char *rest;
    uint64_t n;

    if (!digits_parse(text, &n, &rest) || (*rest && strcmp(rest, "%") != 0))
        return wrong_number(f, at, text);
    if (!number_check(f, at, text, n))
        return false;
    *number_of(f, into) = n;
    return true;
}

static bool bit_take(const struct field *f, const struct place *at, const char *text, void *into)
{
    const char *rest;
    uint64_t n;

    if (!digits_parse(text, &n, &rest) || *rest)
        return wrong_number(f, at, text);
    if (!number_check(f, at, text, n))
        return false;
    if (*number_of(f, into) >> n & 1)
        return wrong_at(at, "%" PRIu64 " is named twice; once is enough", n);
    *number_of(f, into) |= 1ull << n;
    return true;
}

bool size_parse(const char *text, uint64_t *size)
{
    const char *suffix;

    if (!digits_parse(text, size, &suffix))
        return false;
    if (!*suffix)
        return true;
    for (size_t i = 0; i < sizeof size_suffixes / sizeof size_suffixes[0]; i++) {
        int shift = size_suffixes[i].shift;

        if (toupper((unsigned char)suffix[0]) == size_suffixes[i].letter && !suffix[1]
            && *size <= UINT64_MAX >> shift) {
            *size <<= shift;
            return true;
        }
    }
    return false;
}

static bool size_take(const struct field *f, const struct place *at, const char *text, void *into)
{
    char right[24];
    uint64_t size;

    if (!size_parse(text, &size))
        return wrong_at(at, "'%.*s' is not a size; write a number and K, M or G, as in 256M",
                        CLIP(text));
    size_write(size < f->min ? f->min : f->max, right, sizeof right);
    if (size < f->min)
        return wrong_at(at, "%.*s (%s) is too little memory; give at least %s", CLIP(text),
                        size_text(size).s, right);
    if (size > f->max)
        return wrong_at(at, "%.*s (%s) is more memory than any board has; give at most %s",
                        CLIP(text), size_text(size).s, right);
    if (size % f->step)
        return wrong_at(at, "%.*s is not a multiple of 2 MiB; %lluM would be", CLIP(text),
                        (unsigned long long)((size / f->step + 1) * f->step / MIB));

    *number_of(f, into) = size;
    return true;
}

static void amount_limits(const struct field *f, char *text, size_t size)
{
    char min[24], max[24];

    size_write(f->min, min, sizeof min);
    size_write(f->max, max, sizeof max);
    snprintf(text, size, "%s to %s", min, max);
}

static void rate_limits(const struct field *f, char *text, size_t size)
{
    char limits[64];

    amount_limits(f, limits, sizeof limits);
    snprintf(text, size, "%s a second", limits);
}

static bool amount_take(const struct field *f, const struct place *at, const char *text, void *into)
{
    char right[80];
    uint64_t n;

    f->kind->limits(f, right, sizeof right);
    if (!size_parse(text, &n))
        return wrong_at(at, "'%.*s' is not a size; %s would be right", CLIP(text), right);
    if (n < f->min || n > f->max)
        return wrong_at(at, "%.*s is out of range; %s would be right", CLIP(text), right);
    *number_of(f, into) = n;
    return true;
}

static void size_limits(const struct field *f, char *text, size_t size)
{
    char min[24], max[24], step[24];

    size_write(f->min, min, sizeof min);
    size_write(f->max, max, sizeof max);
    size_write(f->step, step, sizeof step);
    snprintf(text, size, "%s to %s, a multiple of %s", min, max, step);
}

static bool flag_take(const struct field *f, const struct place *at, const char *text, void *into)
{
    (void)at, (void)text;
    *number_of(f, into) = 1;
    return true;
}

static bool words_take(const struct field *f, const struct place *at, const char *text, void *into)
{
    struct words *w = (struct words *)((char *)into + f->offset);

    if (w->n == WORDS_MAX)
        return wrong_at(at, "given more than %d times; leave some out", WORDS_MAX);
    w->s[w->n++] = text;
    return true;
}

const struct kind name_kind    = { name_take,    name_limits   };
const struct kind text_kind    = { text_take,    text_limits   };
const struct kind path_kind    = { path_take,    NULL          };
const struct kind word_kind    = { word_take,    word_limits   };
const struct kind number_kind  = { number_take,  number_limits };
const struct kind percent_kind = { percent_take, number_limits };
const struct kind size_kind    = { size_take,    size_limits   };
const struct kind amount_kind  = { amount_take,  amount_limits };
const struct kind rate_kind    = { amount_take,  rate_limits   };
const struct kind bit_kind     = { bit_take,     number_limits };
const struct kind flag_kind    = { flag_take,    NULL          };
const struct kind words_kind   = { words_take,   NULL          };

struct field_note field_note(const struct field *f)
{
    struct field_note note = { "" };
    char limits[100] = "";

    if (f->kind && f->kind->limits)
        f->kind->limits(f, limits, sizeof limits);
    if (*limits || f->otherwise)
        snprintf(note.s, sizeof note.s, " (%s%s%s%s)", limits, *limits && f->otherwise ? "; " : "",
                 f->otherwise ? "left out: " : "", f->otherwise ? f->otherwise : "");
    return note;
}

// Levenshtein's distance; -1 for texts too long to be meant.
static int distance(const char *a, const char *b)
{
    int row[33];
    size_t n = strlen(b);

    if (n > 32 || strnlen(a, 33) > 32)
        return -1;
    for (size_t j = 0; j <= n; j++)
        row[j] = (int)j;
    for (size_t i = 0; a[i]; i++) {
        int diagonal = row[0];

        row[0] = (int)i + 1;
        for (size_t j = 0; j < n; j++) {
            int cost = diagonal + (tolower((unsigned char)a[i]) != b[j]);

            diagonal = row[j + 1];
            cost = row[j] + 1 < cost ? row[j] + 1 : cost;
            row[j + 1] = diagonal + 1 < cost ? diagonal + 1 : cost;
        }
    }
    return row[n];
}

const struct field *field_nearest(const struct field *rows, const char *text)
{
    const struct field *best = NULL;
    int least = 4;

    for (const struct field *f = rows; f->name; f++) {
        int d = distance(text, f->name);

        if (d >= 0 && d < least && d < (int)strlen(f->name)) {
            best = f;
            least = d;
        }
    }
    return best;
}

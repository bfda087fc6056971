// SPDX-License-Identifier: MIT
// In:     the text of one field, from the command line or a file.
// Out:    its value; or one line that says what is wrong and what would be right.
// Always: a struct vm_desc that these functions filled is within the limits.

#include "vm_desc.h"

#include "say.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MIB           (1ull << 20)
#define MEMORY_UNIT   (2 * MIB)         // RAM is mapped in 2 MiB pages
#define MEMORY_MIN    (16 * MIB)
#define MEMORY_MAX    (1ull << 40)

enum { SHADOW_PAGES_MIN = 16, SHADOW_PAGES_MAX = 16384 };

const struct vm_desc vm_desc_defaults = {
    .name     = "vm",
    .bootargs = "",
    .engine   = "auto",
    .memory   = 256 * MIB,
    .vcpus    = 1,
};

static const char *const engines[] = { "auto", "classic" };

static const struct {
    char letter;
    int  shift;
} size_suffixes[] = { { 'K', 10 }, { 'M', 20 }, { 'G', 30 }, { 'T', 40 } };

bool name_parse(const char *where, const char *text, const char **name)
{
    size_t length = strlen(text);

    if (length == 0 || length > NAME_LENGTH_MAX)
        return wrong(where, "a name of %zu characters; 1 to %d would be right", length,
                     NAME_LENGTH_MAX);
    if (!isalpha((unsigned char)text[0]))
        return wrong(where, "the name '%s' does not begin with a letter; 'vm1' would do", text);
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != '-' && *c != '_')
            return wrong(where, "'%c' in the name '%s'; use letters, digits, '-' and '_'", *c,
                         text);

    *name = text;
    return true;
}

bool engine_parse(const char *where, const char *text, const char **engine)
{
    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++)
        if (strcmp(text, engines[i]) == 0) {
            *engine = engines[i];
            return true;
        }
    return wrong(where, "there is no engine '%s'; the engines are auto and classic", text);
}

bool bootargs_parse(const char *where, const char *text, const char **bootargs)
{
    size_t length = strlen(text);

    if (length > BOOTARGS_LENGTH_MAX)
        return wrong(where, "the command line has %zu bytes; at most %d reach a kernel", length,
                     BOOTARGS_LENGTH_MAX);
    *bootargs = text;
    return true;
}

static bool digits_parse(const char *text, uint64_t *value, const char **rest)
{
    char *end;

    if (!isdigit((unsigned char)text[0]))
        return false;
    errno = 0;
    *value = strtoull(text, &end, 10);
    *rest = end;
    return errno == 0;
}

static bool size_parse(const char *text, uint64_t *size)
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

bool memory_parse(const char *where, const char *text, uint64_t *memory)
{
    uint64_t size;

    if (!size_parse(text, &size))
        return wrong(where, "'%s' is not a size; write a number and K, M or G, as in 256M", text);
    if (size < MEMORY_MIN)
        return wrong(where, "%s (%s) is too little memory; give at least 16M", text,
                     size_text(size).s);
    if (size > MEMORY_MAX)
        return wrong(where, "%s (%s) is more memory than any board has; give at most 1024G", text,
                     size_text(size).s);
    if (size % MEMORY_UNIT)
        return wrong(where, "%s is not a multiple of 2 MiB; %lluM would be", text,
                     (unsigned long long)((size / MEMORY_UNIT + 1) * MEMORY_UNIT / MIB));

    *memory = size;
    return true;
}

bool shadow_pages_parse(const char *where, const char *text, uint32_t *pages)
{
    const char *rest;
    uint64_t n;

    if (!digits_parse(text, &n, &rest) || *rest)
        return wrong(where, "'%s' is not a number of pages; write one like 512", text);
    if (n < SHADOW_PAGES_MIN || n > SHADOW_PAGES_MAX)
        return wrong(where, "%s shadow pages; %d to %d would be right", text, SHADOW_PAGES_MIN,
                     SHADOW_PAGES_MAX);

    *pages = (uint32_t)n;
    return true;
}

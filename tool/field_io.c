// SPDX-License-Identifier: MIT
// The kinds of fields that disks and networks need.
//
// In:     the text of one field.
// Out:    its value, where the row says; or one line that says what is wrong and what is right.
// Always: what was taken means the same to the monitor and to QEMU.

#include "field.h"

#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAC_BYTES = 6, PORT_MAX = 65535 };

static bool partition_take(const struct field *f, const struct place *at, const char *text,
                           void *into)
{
    size_t length = strlen(text);

    if (length == 0 || length > PARTITION_LENGTH_MAX)
        return wrong_at(at, "a partition's label of %zu characters; 1 to %d would be right", length,
                        PARTITION_LENGTH_MAX);
    for (const char *c = text; *c; c++)
        if (*c < ' ' || *c > '~')
            return wrong_at(at, "a character in '%.*s' that no label here can have; name it by its "
                            "number, as in '#2'", CLIP(text));
    if (text[0] == '#' && (strspn(text + 1, "0123456789") != length - 1 || atoi(text + 1) < 1))
        return wrong_at(at, "'%.*s' is no number of a partition; '#1' would be right", CLIP(text));
    *(const char **)((char *)into + f->offset) = text;
    return true;
}

static void partition_limits(const struct field *f, char *text, size_t size)
{
    (void)f;
    snprintf(text, size, "its label, '#' and its number, or its unique id");
}

static bool mac_parse(const char *text, uint64_t *mac)
{
    *mac = 0;
    for (int i = 0; i < MAC_BYTES; i++, text += 3) {
        char byte[3] = { text[0], text[0] ? text[1] : '\0', '\0' };

        if (!isxdigit((unsigned char)byte[0]) || !isxdigit((unsigned char)byte[1])
            || text[2] != (i == MAC_BYTES - 1 ? '\0' : ':'))
            return false;
        *mac = *mac << 8 | strtoul(byte, NULL, 16);
    }
    return true;
}

// A group's address has bit 0 of its first byte set (IEEE 802, 8.2.2).
static bool mac_take(const struct field *f, const struct place *at, const char *text, void *into)
{
    uint64_t mac;

    if (!mac_parse(text, &mac))
        return wrong_at(at, "'%.*s' is no address of a card; write it as in 52:54:00:12:34:56",
                        CLIP(text));
    if (!mac || mac >> 40 & 1)
        return wrong_at(at, "'%s' is no address of a single card; one that begins with 52:54:00 "
                        "would be right", text);
    *(uint64_t *)((char *)into + f->offset) = mac;
    return true;
}

static void mac_limits(const struct field *f, char *text, size_t size)
{
    (void)f;
    snprintf(text, size, "as in 52:54:00:12:34:56");
}

// A number from `min` to `max`, and what stands behind it.
static bool part_parse(const char **text, unsigned long min, unsigned long max)
{
    char *end;
    unsigned long n;

    if (!isdigit((unsigned char)**text))
        return false;
    n = strtoul(*text, &end, 10);
    *text = end;
    return n >= min && n <= max;
}

static bool forward_is_right(const char *text)
{
    if (!part_parse(&text, 1, PORT_MAX) || *text++ != ':')
        return false;
    for (int i = 0; i < 4; i++)
        if (!part_parse(&text, 0, 255) || *text++ != (i == 3 ? ':' : '.'))
            return false;
    return part_parse(&text, 1, PORT_MAX) && !*text;
}

static bool forward_take(const struct field *f, const struct place *at, const char *text, void *into)
{
    struct words *w = (struct words *)((char *)into + f->offset);
    size_t port = strcspn(text, ":");

    if (!forward_is_right(text))
        return wrong_at(at, "'%.*s' is no PORT:ADDRESS:PORT; 2222:10.0.2.15:22 would be right",
                        CLIP(text));
    for (unsigned i = 0; i < w->n; i++)
        if (strncmp(w->s[i], text, port + 1) == 0)
            return wrong_at(at, "port %.*s leads elsewhere already; take another", (int)port, text);
    if (w->n == WORDS_MAX)
        return wrong_at(at, "given more than %d times; leave some out", WORDS_MAX);
    w->s[w->n++] = text;
    return true;
}

const struct kind partition_kind = { partition_take, partition_limits };
const struct kind mac_kind       = { mac_take,       mac_limits       };
const struct kind forward_kind   = { forward_take,   NULL             };

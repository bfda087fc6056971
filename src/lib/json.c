// SPDX-License-Identifier: MIT
// JSON.
//
// In:     values, and where objects and arrays begin and end.
// Out:    one document.
// Always: whatever bytes a text has, what is written is valid.
// Locks:  none; the caller's.
#include "lib/json.h"

#include "lib/bits.h"
#include "lib/panic.h"

#include <string.h>

// How many bytes stand for themselves.
static size_t plain_len(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[n] >= 0x20 && text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
        n++;
    return n;
}

void json_escape(struct out *o, const char *text, size_t len)
{
    while (len) {
        size_t plain = plain_len(text, len);

        o->write(o, text, plain);
        if (plain == len)
            break;

        u8 b = (u8)text[plain];

        if (b == '"' || b == '\\')
            out_printf(o, "\\%c", b);
        else if (b == '\n')
            o->write(o, "\\n", 2);
        else
            out_printf(o, "\\u%04x", b);
        text += plain + 1;
        len -= plain + 1;
    }
}

static void quoted(struct json *j, const char *text)
{
    j->o->write(j->o, "\"", 1);
    json_escape(j->o, text, strlen(text));
    j->o->write(j->o, "\"", 1);
}

// What stands before a value.
static void lead(struct json *j, const char *name)
{
    if (j->more)
        j->o->write(j->o, ",", 1);
    if (name) {
        quoted(j, name);
        j->o->write(j->o, ":", 1);
    }
    j->more = true;
}

static void begin(struct json *j, const char *name, bool is_array)
{
    ASSERT(j->depth < JSON_DEPTH_MAX);
    lead(j, name);
    j->o->write(j->o, is_array ? "[" : "{", 1);
    j->arrays = (u32)bits_merge(j->arrays, is_array ? ~0ul : 0, BIT(j->depth++));
    j->more   = false;
}

void json_object(struct json *j, const char *name)
{
    begin(j, name, false);
}

void json_array(struct json *j, const char *name)
{
    begin(j, name, true);
}

void json_end(struct json *j)
{
    ASSERT(j->depth);
    j->o->write(j->o, j->arrays & BIT(--j->depth) ? "]" : "}", 1);
    j->more = true;
}

void json_text(struct json *j, const char *name, const char *text)
{
    lead(j, name);
    quoted(j, text);
}

// Without printf(), for a row may have dozens, and is told in one stay in the monitor.
void json_number(struct json *j, const char *name, u64 number)
{
    char   digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10));
    lead(j, name);
    j->o->write(j->o, digits + at, sizeof digits - at);
}

void json_hex(struct json *j, const char *name, u64 number)
{
    lead(j, name);
    out_printf(j->o, "\"0x%lx\"", (unsigned long)number);
}

void json_tenths(struct json *j, const char *name, u64 tenths)
{
    lead(j, name);
    out_printf(j->o, "%lu.%lu", (unsigned long)(tenths / 10), (unsigned long)(tenths % 10));
}

void json_flag(struct json *j, const char *name, bool is)
{
    lead(j, name);
    out_printf(j->o, is ? "true" : "false");
}

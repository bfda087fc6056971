// SPDX-License-Identifier: MIT
// Reports.
//
// In:     values and their names.
// Out:    a table, a list, or a JSON document.
// Always: both forms tell the same.
// Locks:  none; boot hart only.
#include "mon/report.h"

#include "lib/bits.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ITEM_COLUMNS 3
#define CELL         48

typedef void json_put(struct json *j, const char *name, u64 number);

void report_open(struct report *r, struct out *o, bool json)
{
    memset(r, 0, sizeof *r);
    r->o    = o;
    r->j.o  = o;
    r->form = json ? REPORT_JSON : REPORT_TEXT;
    if (json)
        json_object(&r->j, NULL);
}

void report_close(struct report *r)
{
    if (r->form != REPORT_JSON)
        return;
    json_end(&r->j);
    out_printf(r->o, "\n");
}

static void table_begin(struct report *r, const char *name, unsigned rows, report_row *row,
                        const void *of)
{
    if (r->form == REPORT_JSON)
        json_array(&r->j, name);
    else if (rows) {
        r->form = REPORT_HEADER;
        row(r, 0, of);
        out_printf(r->o, "\n");
        r->form = REPORT_TEXT;
    }
}

static void table_row(struct report *r, unsigned n, report_row *row, const void *of)
{
    if (r->form == REPORT_JSON)
        json_object(&r->j, NULL);
    row(r, n, of);
    if (r->form == REPORT_JSON)
        json_end(&r->j);
    else
        out_printf(r->o, "\n");
}

bool report_table(struct report *r, unsigned part, const char *name, unsigned rows, report_row *row,
                  const void *of)
{
    if (!part)
        table_begin(r, name, rows, row, of);
    else if (part <= rows)
        table_row(r, part - 1, row, of);
    if (part < rows)
        return true;
    report_array_end(r);
    return false;
}

// One cell of a table: its column's name, or what stands in it.
static void cell(struct report *r, const char *name, int width, const char *text)
{
    out_printf(r->o, width ? "%*s  " : "%*s", width, r->form == REPORT_HEADER ? name : text);
}

void report_text(struct report *r, const char *name, int width, const char *text)
{
    if (r->form == REPORT_JSON)
        json_text(&r->j, name, text);
    else
        cell(r, name, width, text);
}

// A number: for a program as it is, for people as the words say.
PRINTF(6, 7)
static void put(struct report *r, const char *name, int width, json_put *json, u64 number,
                const char *words, ...)
{
    char    text[CELL];
    va_list args;

    if (r->form == REPORT_JSON) {
        json(&r->j, name, number);
        return;
    }
    va_start(args, words);
    vsnprintf(text, sizeof text, words, args);
    va_end(args);
    cell(r, name, width, text);
}

void report_number(struct report *r, const char *name, int width, u64 number)
{
    put(r, name, width, json_number, number, "%lu", (unsigned long)number);
}

void report_tenths(struct report *r, const char *name, int width, u64 tenths)
{
    put(r, name, width, json_tenths, tenths, "%lu.%lu", (unsigned long)(tenths / 10),
        (unsigned long)(tenths % 10));
}

void report_hex(struct report *r, const char *name, int width, u64 number)
{
    put(r, name, width, json_hex, number, "%lx", (unsigned long)number);
}

void report_size(struct report *r, const char *name, int width, u64 bytes)
{
    bool whole = is_aligned(bytes, MIB) && bytes;

    put(r, name, width, json_number, bytes, "%lu %ciB",
        (unsigned long)(bytes / (whole ? MIB : KIB)), whole ? 'M' : 'K');
}

void report_array(struct report *r, const char *name)
{
    if (r->form == REPORT_JSON)
        json_array(&r->j, name);
}

void report_array_end(struct report *r)
{
    if (r->form == REPORT_JSON)
        json_end(&r->j);
}

void report_group(struct report *r, const char *name, const char *title)
{
    r->n_items = 0;
    if (r->form == REPORT_JSON)
        json_object(&r->j, name);
    else if (title)
        out_printf(r->o, "%s\n", title);
}

void report_end(struct report *r)
{
    if (r->form == REPORT_JSON)
        json_end(&r->j);
    else if (r->n_items % ITEM_COLUMNS)
        out_printf(r->o, "\n");
    r->n_items = 0;
}

static void item(struct report *r, const char *name, const char *text)
{
    out_printf(r->o, "  %-12s %-18s%s", name, text, ++r->n_items % ITEM_COLUMNS ? "" : "\n");
}

void report_item_text(struct report *r, const char *name, const char *text)
{
    if (r->form == REPORT_JSON)
        json_text(&r->j, name, text);
    else
        item(r, name, text);
}

void report_item_number(struct report *r, const char *name, u64 number)
{
    char text[CELL];

    if (r->form == REPORT_JSON) {
        json_number(&r->j, name, number);
        return;
    }
    snprintf(text, sizeof text, "%lu", (unsigned long)number);
    item(r, name, text);
}

void report_item_hex(struct report *r, const char *name, u64 number)
{
    char text[CELL];

    if (r->form == REPORT_JSON) {
        json_hex(&r->j, name, number);
        return;
    }
    snprintf(text, sizeof text, "%016lx", (unsigned long)number);
    item(r, name, text);
}

// SPDX-License-Identifier: MIT
// What a command has to tell, written once: as columns for people, or as JSON for programs.
#pragma once

#include "lib/json.h"

enum report_form { REPORT_TEXT, REPORT_HEADER, REPORT_JSON };

struct report {
    struct out      *o; // for what is text only
    struct json      j;
    enum report_form form;
    unsigned         n_items;
};

// One object; its members are what is told between.
void report_open(struct report *r, struct out *o, bool json);
void report_close(struct report *r);

// A table: row(r, n, of) tells the fields of the n-th of so many rows.  It is told in parts, from
// part 0 on; true: there is another one.
typedef void report_row(struct report *r, unsigned n, const void *of);
bool report_table(struct report *r, unsigned part, const char *name, unsigned rows, report_row *row,
                  const void *of);

// The fields of a row.  A negative width is that of a column of text, to the left.
void report_text(struct report *r, const char *name, int width, const char *text);
void report_number(struct report *r, const char *name, int width, u64 number);
void report_tenths(struct report *r, const char *name, int width, u64 tenths);
void report_hex(struct report *r, const char *name, int width, u64 number);
void report_size(struct report *r, const char *name, int width, u64 bytes); // MiB or KiB in text

// Named items, some on a line, between group and end; `title` is the text's own line before them.
void report_group(struct report *r, const char *name, const char *title);
void report_item_text(struct report *r, const char *name, const char *text);
void report_item_number(struct report *r, const char *name, u64 number);
void report_item_hex(struct report *r, const char *name, u64 number);
void report_end(struct report *r);

// Several groups.
void report_array(struct report *r, const char *name);
void report_array_end(struct report *r);

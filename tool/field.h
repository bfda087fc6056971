// SPDX-License-Identifier: MIT
// Fields: what a user can set, in the configuration file or by an option. From a field's row come
// the reader of the file, the option, its messages, the help and the completion.

#pragma once

#include "say.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct field;

// What values a field takes. Numbers are kept in a uint64_t, texts in a const char *, both at the
// field's offset.
struct kind {
    // On false the mistake has been told and the field is as before.
    bool (*take)(const struct field *f, const struct place *at, const char *text, void *into);
    // Writes the limits as help tells them, or nothing.
    void (*limits)(const struct field *f, char *text, size_t size);
};

extern const struct kind name_kind;     // of a virtual machine
extern const struct kind text_kind;     // of at most .max bytes
extern const struct kind path_kind;
extern const struct kind word_kind;     // one of .words
extern const struct kind number_kind;   // .min to .max, a multiple of .step; 0x is fine
extern const struct kind percent_kind;  // likewise, with or without a '%'
extern const struct kind size_kind;     // likewise, with K, M, G or T
extern const struct kind amount_kind;   // a size of anything, .min to .max
extern const struct kind rate_kind;     // such a size per second
extern const struct kind partition_kind;
extern const struct kind mac_kind;      // 52:54:00:12:34:56, as a number of 48 bits
extern const struct kind forward_kind;  // PORT:ADDRESS:PORT; a struct words
extern const struct kind bit_kind;      // a number that sets its bit; a number may not come twice
extern const struct kind flag_kind;     // an option without a value: 1
extern const struct kind words_kind;    // an option that may come again: a struct words

enum shape {
    ONE,            // a value
    LIST,           // a list of values
    MAP,            // fields of its own
    MAPS,           // a list of such
};

struct field {
    const char              *name;          // as the file has it
    const char              *option;        // "--memory", or NULL where there is no such option
    const char              *alias;         // "-o"
    const char              *value;         // what help calls its value: "SIZE"
    const char              *otherwise;     // what holds when it is left out
    const char              *help;
    const struct kind       *kind;
    const char *const       *words;         // ends with NULL
    uint64_t                 min, max, step;
    size_t                   offset;
    enum shape               shape;
    const struct field_table *inner;        // MAP, MAPS; ONE that may be a map, too
    void                   *(*open)(void *into, const struct place *at);    // where inner's fields go
    bool                    (*close)(void *inner, const struct place *at, bool ok);
};

struct field_table {
    const struct field *rows;               // ends with a row without a name
    size_t              lines;              // offset of unsigned[]: for each row where it stands
};

enum { FIELDS_MAX = 32, WORDS_MAX = 64 };

struct words {
    unsigned    n;
    const char *s[WORDS_MAX];
};

// A size as people write it, "256M"; false: it is none.
bool size_parse(const char *text, uint64_t *size);

// The name that is nearest to what somebody wrote, or NULL.
const struct field *field_nearest(const struct field *rows, const char *text);

// A field's limits and default, as in " (1 to 64; left out: 1)", or "".
struct field_note {
    char s[160];
};

struct field_note field_note(const struct field *f);

// SPDX-License-Identifier: MIT
// Writing JSON (RFC 8259).  In an object each value has a name; in an array, and at the top, the
// name is NULL.
#pragma once

#include "lib/out.h"

struct json {
    struct out *o;
    u32         depth;
    u32         arrays; // bit n: what was begun at depth n is an array
    bool        more;   // a value stands before the next one
};

#define JSON_DEPTH_MAX 32

void json_object(struct json *j, const char *name);
void json_array(struct json *j, const char *name);
void json_end(struct json *j); // of what was begun last
void json_text(struct json *j, const char *name, const char *text);
void json_number(struct json *j, const char *name, u64 number);
void json_hex(struct json *j, const char *name, u64 number); // "0x...": a text, for it has 64 bits
void json_tenths(struct json *j, const char *name, u64 tenths);
void json_flag(struct json *j, const char *name, bool is);

// Part of a text, without the quotes; what is no ASCII is escaped as if it were Latin-1, so that
// any bytes give valid JSON.
void json_escape(struct out *o, const char *text, size_t len);

// SPDX-License-Identifier: MIT
// Whole files in memory, and output files that appear complete or not at all.

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob {
    uint8_t *data;
    size_t   size;
};

// Reads a file that must exist and not be empty. On false the mistake has been told.
bool blob_read(struct blob *b, const char *path);

// Writes beside `path` first and renames at the end. On false the mistake has been told, nothing
// new lies about, and what stood at `path` before still stands there.
bool blob_write(const struct blob *b, const char *path);

void blob_free(struct blob *b);

// Whether two paths lead to the same existing file.
bool path_is_same(const char *a, const char *b);

// SPDX-License-Identifier: MIT
// Whole files in memory, and output files that appear complete or not at all.

#pragma once

#include "say.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct blob {
    uint8_t *data;
    size_t   size;
};

// A bundle is a flattened device tree, and libfdt counts its bytes in an int.
#define BLOB_SIZE_MAX (INT_MAX / 2)

// Reads a file that must exist, not be empty and have at most `max` bytes. A relative path begins
// at the folder `dir`, or at the working folder for AT_FDCWD. On false the mistake has been told,
// as one at `at`.
bool blob_read(struct blob *b, int dir, const char *path, const struct place *at, size_t max);

// Writes beside `path` first and renames at the end. On false the mistake has been told, nothing
// new lies about, and what stood at `path` before still stands there.
bool blob_write(const struct blob *b, const char *path);

enum { TEMP_SIZE = 4096 };

// Opens a new file beside `path`, with an ordinary file's permissions; its name is in `temp`. On
// -1 the mistake has been told.
int sibling_open(const char *path, char temp[TEMP_SIZE]);

// Opens the image of a disk, a regular file of `*size` bytes. On -1 the mistake has been told.
int disk_image_open(int dir, const char *path, const struct place *at, uint64_t *size);

void blob_free(struct blob *b);

// Whether two paths, the second from the folder `dir`, lead to the same existing file.
bool path_is_same(const char *a, int dir, const char *b);

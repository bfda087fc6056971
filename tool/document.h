// SPDX-License-Identifier: MIT
// Reads a YAML document by tables of fields.

#pragma once

#include "field.h"

#include <stdbool.h>
#include <stddef.h>

// Reads `data` into `into`, whose fields `top` has. On false the mistakes have been told: all of
// them, unless the text is no YAML at all. Texts in `into` live as long as `*document`, which is
// NULL or goes to document_free().
bool document_read(const void *data, size_t size, const char *path, const struct field_table *top,
               void *into, void **document);

void document_free(void *document);

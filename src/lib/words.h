// SPDX-License-Identifier: MIT
// Clearing and copying by words, for pages and whole machines: the C library's memset() and memcpy()
// are made for small code and go byte by byte.
#pragma once

#include "lib/types.h"

// `to` and `from` are aligned to 8 bytes.
void words_clear(void *to, size_t bytes);                   // a multiple of 64
void words_copy(void *to, const void *from, size_t bytes);  // any number

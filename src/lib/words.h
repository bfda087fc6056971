// SPDX-License-Identifier: MIT
// Clearing and copying by words, for pages and whole machines: the C library's memset() and
// memcpy() are made for small code and go byte by byte.
#pragma once

#include "lib/types.h"

// `to` is aligned to 8 bytes; `from` should be, or it goes by bytes.
void words_clear(void *to, size_t bytes);                  // a multiple of 64
void words_copy(void *to, const void *from, size_t bytes); // any number

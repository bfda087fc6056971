// SPDX-License-Identifier: MIT
// Clearing and copying by words, for pages, frames and whole machines: the C library's memset() and
// memcpy() are made for small code and go byte by byte.
#pragma once

#include "lib/types.h"

// `to` is aligned to 8 bytes; `from` should be, or it goes by bytes.
void words_clear(void *to, size_t bytes);                  // a multiple of 64
void words_copy(void *to, const void *from, size_t bytes); // any number
// Nothing need be aligned: 5 instructions for 8 bytes, 3 if the two are alike in their last 3 bits.
// Reads no byte outside of the aligned words in which `from` begins and ends.
void bytes_copy(void *to, const void *from, size_t bytes);

// SPDX-License-Identifier: MIT
// Unpredictable bytes: ChaCha20 (RFC 8439, 2.3) over what the machine gave us.  dev/entropy.h is
// the way to them, with a lock.
#pragma once

#include "lib/types.h"

// Mixes bytes in; may be called often, in any order.
void seed_mix(const void *data, size_t len);
// Never the same bytes twice.
void seed_take(void *to, size_t len);

// SPDX-License-Identifier: MIT
// Unpredictable bytes for guests' rng-seed: ChaCha20 (RFC 8439, 2.3) over what the machine gave us.
#pragma once

#include "lib/types.h"

// Mixes bytes in; may be called often, in any order.
void seed_mix(const void *data, size_t len);
// At most 32 bytes, never the same twice.
void seed_take(void *to, size_t len);

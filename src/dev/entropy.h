// SPDX-License-Identifier: MIT
// Unpredictable bytes, from the machine's own source where it has one.  From any hart; the caller
// may hold a vm->lock.
#pragma once

#include "lib/types.h"

// Never waits, and never gives the same bytes twice.  A long request is long work; ask for
// little at a time.
void entropy_take(void *to, size_t len);
void entropy_mix(const void *data, size_t len);

// A driver's: refill() is called, without a lock, when much has been taken; it asks the device, and
// mixes in what comes later.  Boot only.
void entropy_source(void (*refill)(void));

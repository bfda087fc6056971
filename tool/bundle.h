// SPDX-License-Identifier: MIT
// The bundle: a FIT image that holds virtual machines and what they boot.

#pragma once

#include "config.h"
#include "file.h"

#include <stdbool.h>

#define BUNDLE_COMPATIBLE "duomo,vms-1"

// Reads and checks what the machines need and makes a bundle of them all. `out`, if not NULL, is
// where it will be written, which must not be one of those files. On false the mistakes have been
// told and nothing is to be freed.
bool bundle_make(const struct config *c, const char *out, struct blob *bundle);

// Only the reading and the checks.
bool bundle_check(const struct config *c);

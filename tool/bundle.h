// SPDX-License-Identifier: MIT
// The bundle: a FIT image that holds virtual machines and what they boot.

#pragma once

#include "vm_desc.h"

#include <stdbool.h>
#include <stddef.h>

#define BUNDLE_COMPATIBLE "duomo,vms-1"

// Reads and checks what the machines need and writes them all into the bundle `out`. On false the
// mistake has been told and no bundle was written.
bool bundle_pack(const struct vm_desc *vms, size_t n, const char *out);

// SPDX-License-Identifier: MIT
// Questions to a device tree (Devicetree Specification 0.4), over libfdt.
#pragma once

#include "lib/types.h"

// The index'th (address, size) of "reg", with the parent's cells.  False: there is none.
bool dt_reg(const void *fdt, int node, unsigned index, u64 *base, u64 *size);

// A property of one or two cells.  False: absent or of another length.
bool dt_number(const void *fdt, int node, const char *name, u64 *value);

// A property that is a string with its end; NULL otherwise.
const char *dt_string(const void *fdt, int node, const char *name);

// Is the node usable?  "status" absent, "okay" or "ok" (2.3.4).
bool dt_enabled(const void *fdt, int node);

// What "chosen" calls stdout-path, resolved; negative if there is none.
int dt_stdout(const void *fdt);

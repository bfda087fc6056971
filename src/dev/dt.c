// SPDX-License-Identifier: MIT
// Questions to a device tree.
//
// In:     a tree that fdt_check_header() has accepted.
// Out:    numbers and strings; false or NULL where the tree does not say.
// Always: nothing is assumed of a property but what its length shows.
// Locks:  none; trees are read at boot and do not change.
#include "dev/dt.h"

#include <libfdt.h>
#include <string.h>

static u64 cells_read(const fdt32_t *cell, int n)
{
    u64 value = 0;

    for (; n > 0; n--)
        value = value << 32 | fdt32_to_cpu(*cell++);
    return value;
}

bool dt_reg(const void *fdt, int node, unsigned index, u64 *base, u64 *size)
{
    int            parent = fdt_parent_offset(fdt, node), len;
    int            na = fdt_address_cells(fdt, parent), ns = fdt_size_cells(fdt, parent);
    const fdt32_t *reg = fdt_getprop(fdt, node, "reg", &len);

    if (!reg || na < 1 || na > 2 || ns < 0 || ns > 2)
        return false;
    if ((unsigned)len / sizeof *reg < (index + 1) * (unsigned)(na + ns))
        return false;
    reg += index * (unsigned)(na + ns);
    *base = cells_read(reg, na);
    *size = cells_read(reg + na, ns);
    return true;
}

bool dt_number(const void *fdt, int node, const char *name, u64 *value)
{
    int            len;
    const fdt32_t *cell = fdt_getprop(fdt, node, name, &len);

    if (!cell || (len != 4 && len != 8))
        return false;
    *value = cells_read(cell, len / 4);
    return true;
}

const char *dt_string(const void *fdt, int node, const char *name)
{
    int         len;
    const char *text = fdt_getprop(fdt, node, name, &len);

    return text && len > 0 && text[len - 1] == 0 ? text : NULL;
}

bool dt_enabled(const void *fdt, int node)
{
    const char *status = dt_string(fdt, node, "status");

    return !status || !strcmp(status, "okay") || !strcmp(status, "ok");
}

int dt_stdout(const void *fdt)
{
    int         chosen = fdt_path_offset(fdt, "/chosen");
    const char *path   = chosen >= 0 ? dt_string(fdt, chosen, "stdout-path") : NULL;

    if (!path)
        return -1;
    return fdt_path_offset_namelen(fdt, path, (int)strcspn(path, ":"));
}

// SPDX-License-Identifier: MIT
// The device tree (Devicetree Specification 0.4, chapter 5), as much of it as is needed here: how
// fast the clock runs, and what the user told the kernel.  The addresses of UART and PLIC are in
// the tree as well; they stand in console.c, because every `virt` board has them there.
//
// In:     the tree that the firmware handed over.
// Out:    boot_args, ticks_per_ms.
#include "kernel.h"

#include <string.h>

enum { BEGIN_NODE = 1, END_NODE = 2, PROP = 3, NOP = 4 };

char boot_args[LINE_SIZE];
u64  ticks_per_ms;

static u32 be32(const void *at)
{
    u32 raw;

    memcpy(&raw, at, sizeof raw);
    return __builtin_bswap32(raw);
}

// The value of a property; NULL if the node, or the property in it, is not there.
static const void *dt_find(const char *fdt, const char *node, const char *name)
{
    const char *at = fdt + be32(fdt + 8), *strings = fdt + be32(fdt + 12);
    bool        inside = false;

    for (;;) {
        u32 token = be32(at);

        at += 4;
        if (token == BEGIN_NODE) {
            inside = strcmp(at, node) == 0;
            at += (strlen(at) + 4) & ~3ul;
        } else if (token == PROP) {
            if (inside && strcmp(strings + be32(at + 4), name) == 0)
                return at + 8;
            at += 8 + ((be32(at) + 3ul) & ~3ul);
        } else if (token == END_NODE)
            inside = false;
        else if (token != NOP)
            return NULL;
    }
}

void dt_read(const void *fdt)
{
    const void *args     = dt_find(fdt, "chosen", "bootargs");
    const void *timebase = dt_find(fdt, "cpus", "timebase-frequency");

    if (args)
        strncpy(boot_args, args, sizeof boot_args - 1);
    ticks_per_ms = timebase ? be32(timebase) / 1000 : 10000;
}

// SPDX-License-Identifier: MIT
// Finding the machine's devices.
//
// In:     the host's device tree.
// Out:    each driver's probe() called for the nodes that it knows.
// Always: the order of the rows is the order of probing: interrupts before those who raise them.
// Locks:  none; boot only.
#include "dev/driver.h"

#include "dev/dt.h"

#include <libfdt.h>

// clang-format off
static const struct driver drivers[] = {
    { "riscv,clint0",        "timer and IPIs (CLINT)",       clint_probe        },
    { "sifive,plic-1.0.0",   "interrupt controller (PLIC)",  plic_probe         },
    { "ns16550a",            "console (16550 UART)",         uart16550_probe    },
    { "google,goldfish-rtc", "clock of the day",             goldfish_rtc_probe },
    { "sifive,test0",        "power-off",                    finisher_probe     },
    { "virtio,mmio",         NULL,                           virtio_probe       },
};
// clang-format on

#define FOUND_MAX 32
static struct {
    const char *what, *node;
} found[FOUND_MAX];
static unsigned n_found;

void driver_found(const char *what, const char *node)
{
    if (n_found == FOUND_MAX)
        return;
    found[n_found].what   = what;
    found[n_found++].node = node;
}

static void driver_probe(const struct driver *d, const void *fdt)
{
    int node = -1;

    while ((node = fdt_node_offset_by_compatible(fdt, node, d->compatible)) >= 0)
        if (dt_enabled(fdt, node) && d->probe(fdt, node) && d->what)
            driver_found(d->what, fdt_get_name(fdt, node, NULL));
}

void drivers_probe(const void *fdt)
{
    for (const struct driver *d = drivers; d < drivers + ARRAY_LEN(drivers); d++)
        driver_probe(d, fdt);
}

void drivers_each(void (*say)(const char *what, const char *node))
{
    for (unsigned i = 0; i < n_found; i++)
        say(found[i].what, found[i].node);
}

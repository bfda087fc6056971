// SPDX-License-Identifier: MIT
// Registers and interrupts of the machine's devices.
//
// In:     accesses of drivers.
// Out:    calls of the model that a test has put there.
// Always: an access where nothing is ends the program, and so fails the test.
// Locks:  none.
#include "rig/mmio.h"

#include "dev/driver.h"
#include "dev/irq.h"
#include "lib/panic.h"
#include "rig/rig.h"

#include <libfdt.h>
#include <string.h>

#define CHIPS_MAX 16
#define LINES     64

static struct mmio_chip list[CHIPS_MAX];
static unsigned         n_chips;
static struct {
    irq_handler *handler;
    void        *arg;
    bool         again;
    u64          again_from;
} lines[LINES];

const char *driver_found_last;

void mmio_attach(const struct mmio_chip *c)
{
    ASSERT(n_chips < CHIPS_MAX);
    list[n_chips++] = *c;
}

void mmio_forget(void)
{
    n_chips           = 0;
    driver_found_last = NULL;
    memset(lines, 0, sizeof lines);
}

static const struct mmio_chip *chip_at(u64 at, unsigned size)
{
    for (unsigned i = 0; i < n_chips; i++)
        if (at >= list[i].base && at - list[i].base <= list[i].size - size)
            return &list[i];
    panic("no device at %lx", (unsigned long)at);
}

static u32 read(u64 at, unsigned size)
{
    const struct mmio_chip *c = chip_at(at, size);

    return c->read(c->arg, at - c->base, size);
}

static void write(u64 at, unsigned size, u32 value)
{
    const struct mmio_chip *c = chip_at(at, size);

    c->write(c->arg, at - c->base, size, value);
}

u8 mmio_read8(u64 at)
{
    return (u8)read(at, 1);
}

void mmio_write8(u64 at, u8 value)
{
    write(at, 1, value);
}

u32 mmio_read32(u64 at)
{
    return read(at, 4);
}

void mmio_write32(u64 at, u32 value)
{
    write(at, 4, value);
}

bool irq_connect(u32 source, irq_handler *handler, void *arg)
{
    if (!source || source >= LINES)
        return false;
    lines[source].handler = handler;
    lines[source].arg     = arg;
    return true;
}

u32 irq_of_node(const void *fdt, int node)
{
    int            len;
    const fdt32_t *cell = fdt_getprop(fdt, node, "interrupts", &len);

    return cell && len >= 4 ? fdt32_to_cpu(*cell) : 0;
}

u64 irq_again_at = ~0ul;

void irq_again(u32 source, u64 when)
{
    ASSERT(source < LINES);
    lines[source].again      = true;
    lines[source].again_from = when;
}

u64 irq_again_from(u32 source)
{
    return lines[source].again_from;
}

bool irq_is_again(u32 source)
{
    bool is = source < LINES && lines[source].again;

    if (is)
        lines[source].again = false;
    return is;
}

bool irq_raise(u32 source)
{
    if (source >= LINES || !lines[source].handler)
        return false;
    lines[source].handler(lines[source].arg);
    return true;
}

void driver_found(const char *what, const char *node)
{
    (void)node;
    driver_found_last = what;
}

// SPDX-License-Identifier: MIT
// Physical drivers: one row each, `compatible` -> probe.  A driver knows its chip and no virtual
// machine; what it offers it puts behind the small interfaces below.
#pragma once

#include "lib/types.h"

struct driver {
    const char *compatible;
    const char *what; // in the probe report; NULL: it calls driver_found() itself
    bool (*probe)(const void *fdt, int node); // false: not this one, or not usable
};

// Probes every enabled node of the tree in the order of the rows.  Boot hart, once.
void drivers_probe(const void *fdt);

// For the report: a device that a probe has found.
void driver_found(const char *what, const char *node);

// The probe report: calls back once for each device found.
void drivers_each(void (*say)(const char *what, const char *node));

// What drivers tell at boot, a line each: whom it concerns, and what is the matter.
typedef void say_line(const char *who, const char *what);

// Registers of devices, by width.
#ifndef __riscv
u8   mmio_read8(u64 at);
void mmio_write8(u64 at, u8 value);
u32  mmio_read32(u64 at);
void mmio_write32(u64 at, u32 value);
u64  mmio_read64(u64 at);
void mmio_write64(u64 at, u64 value);
#else
static inline u8 mmio_read8(u64 at)
{
    return *(volatile u8 *)at;
}
static inline void mmio_write8(u64 at, u8 value)
{
    *(volatile u8 *)at = value;
}
static inline u32 mmio_read32(u64 at)
{
    return *(volatile u32 *)at;
}
static inline void mmio_write32(u64 at, u32 value)
{
    *(volatile u32 *)at = value;
}
static inline u64 mmio_read64(u64 at)
{
    return *(volatile u64 *)at;
}
static inline void mmio_write64(u64 at, u64 value)
{
    *(volatile u64 *)at = value;
}
#endif

bool uart16550_probe(const void *fdt, int node);
bool plic_probe(const void *fdt, int node);
bool clint_probe(const void *fdt, int node);
bool goldfish_rtc_probe(const void *fdt, int node);
bool finisher_probe(const void *fdt, int node);
bool virtio_probe(const void *fdt, int node);

// SPDX-License-Identifier: MIT
// Registers of the machine's devices, on the desk, and the lines of its interrupt controller.
#pragma once

#include "lib/types.h"

struct mmio_chip {
    u64 base, size;
    u32 (*read)(void *arg, u64 off, unsigned size);
    void (*write)(void *arg, u64 off, unsigned size, u32 value);
    void *arg;
};

void mmio_attach(const struct mmio_chip *c);
void mmio_forget(void); // all of them, and all interrupts

// The line goes up: whoever is connected is called.  False: nobody is.
bool irq_raise(u32 source);
// Has its handler asked to be called once more?  Asked once.
bool irq_is_again(u32 source);
u64  irq_again_from(u32 source); // the time that it has asked for

// What probes have told for the report.
extern const char *driver_found_last;

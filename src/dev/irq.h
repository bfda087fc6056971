// SPDX-License-Identifier: MIT
// Interrupts of the machine's devices.
#pragma once

#include "lib/types.h"

typedef void irq_handler(void *arg);

// Calls handler(arg) on the boot hart whenever the source interrupts.  Boot only.  False: no
// interrupt controller, or no such source.
bool irq_connect(u32 source, irq_handler *handler, void *arg);

// The node's first interrupt, as the interrupt controller numbers it; 0: none.
u32 irq_of_node(const void *fdt, int node);

// For a handler that has more to do than one stay in the monitor may be long, or has had more time
// than it may have: from that time on, in ticks, but not before a guest was let in for 5 us, it is
// called once more, whether its source interrupts or not.
void irq_again(u32 source, u64 when);

// When irq_handle() is to be called though nothing interrupts; ~0: not.  The boot hart's.
extern u64 irq_again_at;

// Claims and handles what pends, at most one of each source, and what is to be handled again.
void irq_handle(void);

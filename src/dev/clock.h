// SPDX-License-Identifier: MIT
// The machine's timer and interprocessor interrupts (CLINT: SiFive U54 manual, chapter 9; the
// privileged architecture's mtime and mtimecmp, 3.2.1).
#pragma once

#include "lib/types.h"

bool clock_present(void);
// Ticks of the timebase since the machine started.
u64 clock_now(void);
// The calling hart gets a timer interrupt when clock_now() >= deadline; ~0 is never.
void clock_arm(u64 deadline_ticks);
// Software interrupts, by the harts' numbers (mhartid).
void clock_ipi_send(u32 hart);
void clock_ipi_clear(u32 hart);

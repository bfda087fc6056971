// SPDX-License-Identifier: MIT
// Floods the console: by the UART without looking at LSR, by the debug console, by putchar; with
// plain text, with lines of one letter, with NULs and escape sequences, with words that look like the monitor's.
// Shows: D13
#include "hostile.h"

#define LINES (RAM + 8 * MIB)   // of one letter each

static const char text[] =
    "\x1b[2J\x1b]0;x\x07 duomo-like: all is well \0\x9b\x08\x7f lorem ipsum dolor "
    "sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt\r";

static void lines_make(void)
{
    for (u64 i = 0; i < 256; i++)
        poke8(LINES + i, i % 2 ? '\n' : 'x');
}

GUEST(flood)
{
    u64 way = arg("way", 0);

    lines_make();
    say("round 1");
    for (u64 i = 0;; i++)
        switch (way) {
        case 0: poke8(UART + UART_THR, (u8)text[i % sizeof text]); break;
        case 1: sbi_call(SBI_DBCN, 0, sizeof text, (u64)text, 0); break;
        case 2: sbi_call(1, 0, text[i % sizeof text]); break;
        case 3: sbi_call(SBI_DBCN, 0, 48 * MIB, RAM + 16 * MIB, 0); break;
        case 4: sbi_call(SBI_DBCN, 2, text[i % sizeof text], 0, 0); break;
        case 5: sbi_call(SBI_DBCN, 0, 256, LINES, 0); break;
        }
}

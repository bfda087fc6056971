// SPDX-License-Identifier: MIT
// The UART's interrupts as IIR tells them: transmitter empty, received data at each trigger level,
// their priority, and what takes each away.
// Shows: D8 D9
#include "board.h"

static u64 seen[32];
static int n;

static void note(u64 reg)
{
    seen[n++] = peek8(UART + reg);
}

// At the slowest speed, the receiver's timeout does not come into it.
static void speed_set(u64 divisor)
{
    poke8(UART + UART_LCR, 0x83);
    poke8(UART + UART_DLL, divisor);
    poke8(UART + UART_DLM, divisor >> 8);
    poke8(UART + UART_LCR, 3);
}

static void notes_print(const char *what)
{
    poke8(UART + UART_IER, 0);
    poke8(UART + UART_MCR, 0);
    poke8(UART + UART_FCR, 7);
    peek8(UART + UART_LSR);
    printf("%s:", what);
    for (int i = 0; i < n; i++)
        printf(" %lx", seen[i]);
    printf("\n");
    n = 0;
}

static void trigger_try(u64 fcr, u64 level)
{
    poke8(UART + UART_FCR, 6 | fcr);
    poke8(UART + UART_FCR, fcr);
    poke8(UART + UART_MCR, 0x10);
    poke8(UART + UART_IER, 1);
    for (u64 i = 0; i + 1 < level; i++)
        poke8(UART + UART_THR, i);
    if (level == 1)
        note(UART_IIR);
    poke8(UART + UART_THR, 'y');
    note(UART_IIR);
    note(UART_IIR);
    note(UART_RBR);
    while (peek8(UART + UART_LSR) & 1)
        peek8(UART + UART_RBR);
    note(UART_IIR);
    notes_print("trigger");
}

GUEST(uart_irq)
{
    console_hold();
    speed_set(0xffff);
    poke8(UART + UART_FCR, 1);
    uart_line_lower();

    note(UART_IIR);
    poke8(UART + UART_IER, 2);
    note(UART_IIR);
    note(UART_IIR);
    poke8(UART + UART_IER, 0);
    poke8(UART + UART_IER, 2);
    note(UART_IIR);
    note(UART_IIR);
    notes_print("transmitter: none, pending, read away, enabled again, read away");

    poke8(UART + UART_MCR, 0x10);
    poke8(UART + UART_IER, 2);
    note(UART_IIR);
    poke8(UART + UART_THR, 'a');
    note(UART_IIR);
    note(UART_IIR);
    poke8(UART + UART_THR, 'b');
    note(UART_LSR);
    note(UART_IIR);
    notes_print("transmitter: after each character");

    poke8(UART + UART_FCR, 0);
    poke8(UART + UART_MCR, 0x10);
    poke8(UART + UART_IER, 3);
    note(UART_IIR);
    poke8(UART + UART_THR, 'c');
    note(UART_IIR);
    note(UART_RBR);
    note(UART_IIR);
    note(UART_IIR);
    notes_print("receiver before transmitter");

    trigger_try(0x01, 1);
    trigger_try(0x41, 4);
    trigger_try(0x81, 8);
    trigger_try(0xc1, 14);
    speed_set(2);
    console_release();
}

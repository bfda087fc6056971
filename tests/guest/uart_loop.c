// SPDX-License-Identifier: MIT
// The UART's loopback: what is sent comes back, the FIFO holds sixteen, overrun shows and goes, MSR
// mirrors MCR, and nothing reaches the console.
// Shows: D8
#include "board.h"

static u64 seen[64];

static void loop_on(u64 fcr)
{
    poke8(UART + UART_FCR, 0);
    poke8(UART + UART_FCR, fcr);
    poke8(UART + UART_MCR, 0x10);
    while (peek8(UART + UART_LSR) & 1)
        peek8(UART + UART_RBR);
}

static void loop_off(void)
{
    poke8(UART + UART_MCR, 0);
    poke8(UART + UART_FCR, 7);
    peek8(UART + UART_LSR);
    peek8(UART + UART_MSR);
}

static void fifo_try(const char *what, u64 fcr, int count)
{
    int n = 0;

    loop_on(fcr);
    seen[n++] = peek8(UART + UART_LSR);
    for (int i = 0; i < count; i++)
        poke8(UART + UART_THR, 'A' + (u64)i);
    seen[n++] = peek8(UART + UART_LSR);
    seen[n++] = peek8(UART + UART_LSR);
    while ((peek8(UART + UART_LSR) & 1) && n < 40)
        seen[n++] = peek8(UART + UART_RBR);
    seen[n++] = peek8(UART + UART_LSR);
    loop_off();
    printf("%s, %d sent:", what, count);
    for (int i = 0; i < n; i++)
        printf(" %lx", seen[i]);
    printf("\n");
}

GUEST(uart_loop)
{
    fifo_try("FIFO", 1, 0);
    fifo_try("FIFO", 1, 1);
    fifo_try("FIFO", 1, 15);
    fifo_try("FIFO", 1, 16);
    fifo_try("FIFO", 1, 17);
    fifo_try("FIFO", 1, 20);
    fifo_try("FIFO", 0xc1, 8);
    fifo_try("no FIFO", 0, 1);
    fifo_try("no FIFO", 0, 2);

    loop_on(1);
    for (u64 mcr = 0; mcr < 16; mcr++) {
        poke8(UART + UART_MCR, 0x10 | mcr);
        seen[mcr] = peek8(UART + UART_MSR) & 0xf0;
    }
    poke8(UART + UART_MCR, 0x10);
    peek8(UART + UART_MSR);
    loop_off();
    printf("MSR for MCR 10..1f:");
    for (int i = 0; i < 16; i++)
        printf(" %lx", seen[i]);
    printf("\n");

    loop_on(1);
    poke8(UART + UART_THR, 'x');
    poke8(UART + UART_FCR, 3);                          // clears the receiver
    seen[0] = peek8(UART + UART_LSR);
    loop_off();
    printf("LSR after the FIFO was cleared: %#lx\n", seen[0]);
}

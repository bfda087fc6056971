// SPDX-License-Identifier: MIT
// Characters written to the transmitter itself come out in order with those of the SBI console; LSR
// says that there is room.
// Shows: D8 D13
#include "board.h"

static void uart_put(const char *text)
{
    for (; *text; text++) {
        wait_for(peek8(UART + UART_LSR) & 0x20, 100ul);
        poke8(UART + UART_THR, (u8)*text);
    }
}

GUEST(uart_send)
{
    printf("by SBI\n");
    uart_put("by the UART\r\n");
    for (int i = 0; i < 20; i++) {
        printf("line %d ", i);
        uart_put("the rest of it\r\n");
    }
    uart_put("0123456789abcdefghijklmnopqrstuvwxyz!#$%&()*+-./:;<>?@[]^_`{|}~\r\n");
    printf("LSR %#lx\n", peek8(UART + UART_LSR));
}

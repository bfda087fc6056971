// SPDX-License-Identifier: MIT
// Talks without end, and sleeps until the UART has room again: one of many whom the operator's line
// wakes at the same moment when it has room.
// Shows: S2
#include "hostile.h"

enum { IER_TX = 2, LSR_THRE = 0x20 };

static const char line[] = "what I have to say\n";

GUEST(talk)
{
    say("round 1");
    plic_enable(IRQ_UART, 1);
    csr_write(CSR_SIE, INT_SEI);
    poke8(UART + UART_IER, IER_TX);
    for (u64 i = 0;; i++) {
        while (!(peek8(UART + UART_LSR) & LSR_THRE)) {
            __asm__ volatile("wfi");
            peek8(UART + UART_IIR);
            plic_complete(plic_claim());
        }
        poke8(UART + UART_THR, (u8)line[i % (sizeof line - 1)]);
    }
}

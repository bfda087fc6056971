// SPDX-License-Identifier: MIT
// Received characters, by the UART's loopback, through the PLIC to the kernel: each comes once and
// in order, with the FIFO and without.
// Shows: D9 D10
#include "board.h"

static char         received[512];
static volatile u64 count, interrupts, wrong;

static void on_sei(u64 cause)
{
    u32 id = plic_claim();

    (void)cause;
    interrupts++;
    wrong += id != IRQ_UART && id != 0;
    while (peek8(UART + UART_LSR) & 1)
        received[count++ % sizeof received] = (char)peek8(UART + UART_RBR);
    plic_complete(id);
}

static void send_all(const char *what, u64 fcr)
{
    u64 mismatches = 0;

    count = interrupts = 0;
    poke8(UART + UART_FCR, fcr | 6);
    poke8(UART + UART_FCR, fcr);
    poke8(UART + UART_MCR, 0x18);
    poke8(UART + UART_IER, 1);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    for (u64 i = 0; i < 400; i++) {
        poke8(UART + UART_THR, (i * 7) & 0xff);
        if (!wait_for(count == i + 1, 100ul))
            break;
    }
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    for (u64 i = 0; i < 400; i++)
        mismatches += (u8)received[i] != ((i * 7) & 0xff);
    // The receiver's timeout may ring for a character that is being read already.
    printf("%s: %lu received, %lu mismatches, %s, %lu wrong\n", what, count, mismatches,
           interrupts >= count ? "an interrupt for each" : "too few interrupts", wrong);
}

GUEST(irq_uart_rx)
{
    on_irq = on_sei;
    console_hold();
    plic_enable(IRQ_UART, 1);
    csr_set(CSR_SIE, INT_SEI);
    send_all("no FIFO", 0);
    send_all("FIFO", 1);
    poke8(UART + UART_IER, 0);
    poke8(UART + UART_MCR, 0);
    poke8(UART + UART_FCR, 7);
    console_release();
}

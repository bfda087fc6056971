// SPDX-License-Identifier: MIT
// The UART's eight registers by bytes: what can be written and read back, the divisor latch, the
// registers that share an address, and what reads leave alone.
// Shows: D8
#include "board.h"

static void uart_plain(void)
{
    poke8(UART + UART_LCR, 3);
    poke8(UART + UART_MCR, 0);
    poke8(UART + UART_IER, 0);
    poke8(UART + UART_FCR, 1);
}

// Every value into one register, read back.  Nothing is printed while it runs.
static u64 readback_hash(u64 reg, u64 avoid)
{
    u64 h = HASH_START;

    for (u64 value = 0; value < 256; value++) {
        if (value & avoid)
            continue;
        poke8(UART + reg, value);
        h = hash_add(h, peek8(UART + reg));
    }
    uart_plain();
    return h;
}

GUEST(uart_regs)
{
    u64 dll, dlm, seen[10];

    uart_plain();
    printf("IER %016lx\n", readback_hash(UART_IER, 0));
    printf("LCR %016lx\n", readback_hash(UART_LCR, 0));
    printf("MCR %016lx\n", readback_hash(UART_MCR, 0));
    printf("SCR %016lx\n", readback_hash(UART_SCR, 0));
    printf("LSR %#lx MSR %#lx\n", peek8(UART + UART_LSR), peek8(UART + UART_MSR));

    // The divisor latch stands where RBR/THR and IER are otherwise.
    poke8(UART + UART_IER, 5);
    poke8(UART + UART_LCR, 0x83);
    dll = peek8(UART + UART_DLL);
    dlm = peek8(UART + UART_DLM);
    poke8(UART + UART_DLL, 0x12);
    poke8(UART + UART_DLM, 0x34);
    seen[0] = peek8(UART + UART_DLL);
    seen[1] = peek8(UART + UART_DLM);
    poke8(UART + UART_LCR, 3);
    seen[2] = peek8(UART + UART_IER);
    poke8(UART + UART_IER, 0);
    poke8(UART + UART_LCR, 0x83);
    seen[3] = peek8(UART + UART_DLL);
    seen[4] = peek8(UART + UART_DLM);
    poke8(UART + UART_DLL, dll);
    poke8(UART + UART_DLM, dlm);
    poke8(UART + UART_LCR, 3);
    printf("DLL %#lx DLM %#lx IER %#lx, again %#lx %#lx\n", seen[0], seen[1], seen[2], seen[3],
           seen[4]);

    // FCR is written where IIR is read: the FIFO bits show.
    for (u64 i = 0; i < 4; i++) {
        static const u8 fcr[] = { 0, 1, 0xc1, 0x07 };

        poke8(UART + UART_FCR, fcr[i]);
        seen[i] = peek8(UART + UART_IIR);
    }
    printf("IIR after FCR 0, 1, c1, 7: %#lx %#lx %#lx %#lx\n", seen[0], seen[1], seen[2], seen[3]);

    // LSR and MSR are not for writing.
    poke8(UART + UART_LSR, 0);
    poke8(UART + UART_MSR, 0xff);
    seen[0] = peek8(UART + UART_LSR);
    seen[1] = peek8(UART + UART_MSR);
    uart_plain();
    printf("LSR %#lx MSR %#lx after writes\n", seen[0], seen[1]);
}

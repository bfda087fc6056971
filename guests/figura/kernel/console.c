// SPDX-License-Identifier: MIT
// The console: a 16550 UART (National Semiconductor PC16550D data sheet); and the PLIC, to which
// devices' interrupts lead (RISC-V PLIC specification 1.0).
//
// In:     characters to send; interrupts, the UART's when somebody has typed.
// Out:    stores to the UART; characters typed; Ctrl-C ends the process in the foreground.
// Always: output is polled: each character is one load from LSR and one store to THR.  On the
//         board both go to the chip.  In a virtual machine both trap to Duomo: step 3 of five.
#include "kernel.h"

#define UART           ((volatile u8 *)0x10000000)
#define UART_IRQ       10
#define PLIC(off)      (*(volatile u32 *)(0x0c000000ul + (off)))
#define PLIC_ENABLE    0x2080 // of context 1: hart 0 in supervisor mode
#define PLIC_THRESHOLD 0x201000
#define PLIC_CLAIM     0x201004

enum { RBR = 0, THR = 0, IER = 1, FCR = 2, LCR = 3, LSR = 5 }; // registers
enum { LSR_DATA_READY = 1, LSR_THR_EMPTY = 0x20 };

#define CTRL_C 3

static u8 typed[256], typed_in, typed_out; // a ring; the u8 wrap as it does

static int uart_put(char c, FILE *file)
{
    if (c == '\n')
        uart_put('\r', file);
    while (!(UART[LSR] & LSR_THR_EMPTY))
        ;
    UART[THR] = (u8)c;
    return 0;
}

// printf's.
static FILE console = FDEV_SETUP_STREAM(uart_put, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdout  = &console;

void console_init(void)
{
    UART[LCR] = 3; // eight bits
    UART[FCR] = 7; // FIFOs on, and empty
    UART[IER] = 1; // an interrupt when data is ready

    // The disk's interrupt is that of its slot, which are numbered from 1 on.
    for (u32 irq = 1; irq <= UART_IRQ; irq++)
        PLIC(4 * irq) = 1; // priority
    PLIC(PLIC_ENABLE)    = (2u << UART_IRQ) - 2;
    PLIC(PLIC_THRESHOLD) = 0;
}

static void key_handle(u8 key)
{
    struct proc *p = proc_foreground();

    if (key == CTRL_C && p->pid != 1) {
        printf("\nfigura: process %lu (%s): Ctrl-C, killed\n", p->pid, p->name);
        proc_end(p);
    } else if ((u8)(typed_in + 1) != typed_out)
        typed[typed_in++] = key;
}

// Who interrupts?
void irq_handle(void)
{
    u32 irq = PLIC(PLIC_CLAIM);

    if (irq == UART_IRQ)
        while (UART[LSR] & LSR_DATA_READY)
            key_handle(UART[RBR]);
    else if (irq)
        disk_interrupt();
    PLIC(PLIC_CLAIM) = irq; // complete
}

long console_take(void)
{
    return typed_in == typed_out ? NOT_YET : typed[typed_out++];
}

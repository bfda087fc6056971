// SPDX-License-Identifier: MIT
// The console: a 16550 UART (National Semiconductor PC16550D data sheet) behind the PLIC (RISC-V
// PLIC specification 1.0).
//
// In:     characters to send; the UART's interrupt, when somebody has typed.
// Out:    stores to the UART; characters typed; Ctrl-C ends the process in the foreground.
// Always: output is polled: each character is one load from LSR and one store to THR.  On the
//         board both go to the chip.  In a virtual machine both trap to Duomo: step 3 of five.
#include "kernel.h"

#include <stdio.h>

#define UART      ((volatile u8 *)0x10000000)
#define UART_IRQ  10
#define PLIC(off) (*(volatile u32 *)(0x0c000000ul + (off)))

enum { RBR = 0, THR = 0, IER = 1, FCR = 2, LCR = 3, LSR = 5 }; // registers
enum { LSR_DATA_READY = 1, LSR_THR_EMPTY = 0x20 };

#define CTRL_C 3

static u64           context; // the PLIC's number for supervisor mode of this hart
static unsigned char typed[256];
static unsigned      typed_in, typed_out;

void uart_put(char c)
{
    if (c == '\n')
        uart_put('\r');
    while (!(UART[LSR] & LSR_THR_EMPTY))
        ;
    UART[THR] = (u8)c;
}

// The kernel's own printf.
static int kernel_put(char c, FILE *file)
{
    (void)file;
    uart_put(c);
    return (u8)c;
}

static FILE console = FDEV_SETUP_STREAM(kernel_put, NULL, NULL, _FDEV_SETUP_WRITE);
FILE *const stdout  = &console;

void console_init(u64 hart)
{
    context   = 2 * hart + 1;
    UART[LCR] = 3; // eight bits
    UART[FCR] = 7; // FIFOs on, and empty
    UART[IER] = 1; // an interrupt when data is ready

    PLIC(4 * UART_IRQ)              = 1; // priority
    PLIC(0x2000 + 0x80 * context)   = 1u << UART_IRQ;
    PLIC(0x200000 + 4096 * context) = 0; // threshold
}

static void key_handle(unsigned char key)
{
    struct proc *p = proc_foreground();

    if (key == CTRL_C && p->pid != 1) {
        printf("\nfigura: process %lu (%s): Ctrl-C, killed\n", p->pid, p->name);
        proc_end(p);
    } else if (typed_in - typed_out < sizeof typed)
        typed[typed_in++ % sizeof typed] = key;
}

static void keys_handle(void)
{
    while (UART[LSR] & LSR_DATA_READY)
        key_handle(UART[RBR]);
}

// Who interrupts?  There is just one device yet; a disk would have another number.
void device_interrupt(void)
{
    u32 irq = PLIC(0x200004 + 4096 * context); // claim

    if (irq == UART_IRQ)
        keys_handle();
    if (irq)
        PLIC(0x200004 + 4096 * context) = irq; // complete
}

int console_take(void)
{
    return typed_in == typed_out ? -1 : typed[typed_out++ % sizeof typed];
}

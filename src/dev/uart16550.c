// SPDX-License-Identifier: MIT
// 16550 UART (National Semiconductor PC16550D data sheet).
//
// In:     bytes to send; the chip's interrupts.
// Out:    bytes on the line; received bytes to whoever attached.
// Always: the ring empties from the transmitter's interrupt, so no caller waits for the line.
// Locks:  one, for chip and ring; input and room are called without it.
#include "arch/lock.h"
#include "dev/driver.h"
#include "dev/dt.h"
#include "dev/irq.h"
#include "dev/serial.h"
#include "lib/ring.h"

#include <libfdt.h>

enum { RBR = 0, THR = 0, IER = 1, FCR = 2, LCR = 3, MCR = 4, LSR = 5 };
#define IER_RX       1
#define IER_TX       2
#define FCR_ENABLE   1
#define LCR_8N1      3
#define LSR_RX_READY 1
#define LSR_TX_EMPTY 0x20
#define MCR_DTR_RTS  3
#define FIFO         16
#define DRAIN_ROUNDS 100000000

static struct {
    struct lock lock;
    u64         base;
    unsigned    shift;
    u8          ier;
    char        ring[SERIAL_ROOM];
    u32         head, tail; // free-running; head - tail bytes wait
    void (*input)(void *arg, u8 byte);
    void (*room)(void *arg);
    void  *arg;
    size_t wanted; // room that somebody waits for; 0: nobody does
    bool   held;
} uart;

static u8 reg_read(unsigned reg)
{
    return mmio_read8(uart.base + ((u64)reg << uart.shift));
}

static void reg_write(unsigned reg, u8 value)
{
    mmio_write8(uart.base + ((u64)reg << uart.shift), value);
}

static void ier_set(u8 bits)
{
    if (uart.ier != bits)
        reg_write(IER, uart.ier = bits);
}

// Fills the chip's FIFO from the ring.
static void transmit(void)
{
    if (uart.head != uart.tail && reg_read(LSR) & LSR_TX_EMPTY)
        for (int n = 0; n < FIFO && uart.head != uart.tail; n++)
            reg_write(THR, (u8)uart.ring[uart.tail++ % SERIAL_ROOM]);
    ier_set((uart.head != uart.tail ? IER_TX : 0) | (uart.held ? 0 : IER_RX));
}

// A byte that has been received; -1: none, or it has to wait.
static int receive(void)
{
    lock_take(&uart.lock);
    int byte = !uart.held && reg_read(LSR) & LSR_RX_READY ? reg_read(RBR) : -1;

    lock_drop(&uart.lock);
    return byte;
}

static bool has_room(size_t n)
{
    return SERIAL_ROOM - (uart.head - uart.tail) >= n;
}

// Sends on; true: there is room again for who waits, and some more, or it would soon wait again.
static bool send(void)
{
    lock_take(&uart.lock);
    transmit();
    bool room = uart.wanted && has_room((SERIAL_ROOM + uart.wanted) / 2);

    if (room)
        uart.wanted = 0;
    lock_drop(&uart.lock);
    return room;
}

static void uart_interrupt(void *arg)
{
    int byte;

    (void)arg;
    for (int n = 0; n < FIFO && (byte = receive()) >= 0; n++)
        if (uart.input)
            uart.input(uart.arg, (u8)byte);
    if (send() && uart.room)
        uart.room(uart.arg);
}

// The first UART is taken, or the one that stdout-path names.
bool uart16550_probe(const void *fdt, int node)
{
    u64 base, size, shift = 0;

    if (uart.base && node != dt_stdout(fdt))
        return false;
    if (!dt_reg(fdt, node, 0, &base, &size))
        return false;
    (void)dt_number(fdt, node, "reg-shift", &shift);
    uart.base  = base;
    uart.shift = (unsigned)min_u64(shift, 2);
    reg_write(LCR, LCR_8N1);
    reg_write(FCR, FCR_ENABLE);
    reg_write(MCR, MCR_DTR_RTS);
    (void)irq_connect(irq_of_node(fdt, node), uart_interrupt, NULL);
    reg_write(IER, uart.ier = IER_RX);
    return true;
}

void serial_attach(void (*input)(void *arg, u8 byte), void (*room)(void *arg), void *arg)
{
    uart.input = input;
    uart.room  = room;
    uart.arg   = arg;
}

void serial_hold(bool hold)
{
    lock_take(&uart.lock);
    uart.held = hold;
    if (uart.base)
        transmit(); // brings the interrupts that we want up to date
    lock_drop(&uart.lock);
}

bool serial_has_room(size_t n)
{
    lock_take(&uart.lock);
    bool room = has_room(n);

    if (!room)
        uart.wanted = max_u64(uart.wanted, n);
    lock_drop(&uart.lock);
    return room;
}

void serial_write(const char *text, size_t len)
{
    if (!uart.base)
        return;
    lock_take(&uart.lock);
    len       = min_u64(len, SERIAL_ROOM - (uart.head - uart.tail));
    uart.head = ring_put(uart.ring, SERIAL_ROOM, uart.head, text, len);
    transmit();
    lock_drop(&uart.lock);
}

void serial_drain(void)
{
    for (u32 round = 0; uart.base && uart.head != uart.tail && round < DRAIN_ROUNDS; round++) {
        lock_take(&uart.lock);
        transmit();
        lock_drop(&uart.lock);
    }
}

void serial_seize(void)
{
    lock_drop(&uart.lock);
}

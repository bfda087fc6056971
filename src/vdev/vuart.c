// SPDX-License-Identifier: MIT
// The virtual 16550 UART (National Semiconductor PC16550D data sheet; where that is silent, QEMU's
// hw/char/serial.c, which the `virt` board has).
//
// In:     register accesses; bytes typed at the console.
// Out:    bytes to the console; the interrupt line.
// Always: a byte is sent as soon as it is written, unless the console has no room: then THRE stays
//         low, what was written on the strength of the last THRE waits in the transmitter's FIFO,
//         and the guest waits, not the monitor.  A register is one byte, whatever the width of the
//         access.
// Locks:  vm->lock, held by the caller.
#include "vdev/board.h"
#include "vdev/devices.h"

#include <libfdt.h>
#include <string.h>

enum { RBR_THR_DLL = 0, IER_DLM = 1, IIR_FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7 };

#define IER_RDI        1
#define IER_THRI       2
#define IER_RLSI       4
#define IER_MSI        8
#define IIR_NONE       1
#define IIR_THRI       2
#define IIR_RDI        4
#define IIR_RLSI       6
#define IIR_TIMEOUT    0x0c
#define IIR_FIFO       0xc0
#define FCR_ENABLE     1
#define FCR_CLEAR_RX   2
#define FCR_CLEAR_TX   4
#define FCR_KEPT       0xc9
#define LCR_DLAB       0x80
#define MCR_DTR        1
#define MCR_RTS        2
#define MCR_OUT        0x0c
#define MCR_LOOP       0x10
#define MCR_KEPT       0x1f
#define LSR_DR         1
#define LSR_OE         2
#define LSR_ERRORS     0x1e
#define LSR_THRE       0x20
#define LSR_TEMT       0x40
#define MSR_ANY_DELTA  0x0f
#define MSR_CONNECTED  0xb0 // CTS, DSR, DCD
#define DIVISOR_115200 2    // of the board's 3.6864 MHz
#define CLOCK_HZ       3686400
#define FIFO           16

struct vuart {
    struct vdev dev; // must be first
    u8          ier, fcr, lcr, mcr, lsr, msr, scr;
    u16         divisor;
    u8          rbr; // the byte received, without FIFO
    u8          rx[FIFO];
    u8          rx_first, rx_count;
    u8          tx[FIFO]; // from 0 on; empty while THRE is set
    u8          tx_count;
    bool        thr_pending; // THRE has not yet been told
};

static struct vuart *vuart_of(struct vdev *d)
{
    return CONTAINER_OF(d, struct vuart, dev);
}

static unsigned rx_trigger(const struct vuart *u)
{
    static const u8 level[] = { 1, 4, 8, 14 };

    return level[u->fcr >> 6];
}

// Which interrupt has priority (data sheet, table V).
static u8 iir_now(const struct vuart *u)
{
    if (u->ier & IER_RLSI && u->lsr & LSR_ERRORS)
        return IIR_RLSI;
    if (u->ier & IER_RDI && u->lsr & LSR_DR)
        return u->fcr & FCR_ENABLE && u->rx_count < rx_trigger(u) ? IIR_TIMEOUT : IIR_RDI;
    if (u->ier & IER_THRI && u->thr_pending)
        return IIR_THRI;
    if (u->ier & IER_MSI && u->msr & MSR_ANY_DELTA)
        return 0;
    return IIR_NONE;
}

static void irq_update(struct vuart *u)
{
    u->dev.vm->irq_set(u->dev.vm, VUART_IRQ, iir_now(u) != IIR_NONE);
}

static void receive(struct vuart *u, u8 byte)
{
    if (!(u->fcr & FCR_ENABLE)) {
        u->lsr |= u->lsr & LSR_DR ? LSR_OE : 0;
        u->rbr = byte;
    } else if (u->rx_count == FIFO)
        u->lsr |= LSR_OE;
    else
        u->rx[(u->rx_first + u->rx_count++) % FIFO] = byte;
    u->lsr |= LSR_DR;
}

// Takes what was typed, as far as there is room.
static void input_take(struct vuart *u)
{
    struct vm *vm = u->dev.vm;
    int        byte;

    if (u->mcr & MCR_LOOP || vm->keyboard)
        return;
    while ((u->fcr & FCR_ENABLE ? u->rx_count < FIFO : !(u->lsr & LSR_DR)) &&
           (byte = vm->console_read(vm)) >= 0)
        receive(u, (u8)byte);
}

// Sends what waits, if there is room.  It is at most a FIFO's worth, so it goes as one.
static void transmitter_check(struct vuart *u)
{
    struct vm *vm = u->dev.vm;

    if (u->lsr & LSR_THRE || !vm->console_room(vm))
        return;
    if (u->tx_count) {
        vm->console_write(vm, (const char *)u->tx, u->tx_count);
        u->tx_count = 0;
        if (!vm->console_room(vm))
            return;
    }
    u->lsr |= LSR_THRE | LSR_TEMT;
    u->thr_pending = true;
}

// The console has room again, or a byte.
static void vuart_console_ready(struct vdev *d)
{
    struct vuart *u = vuart_of(d);

    transmitter_check(u);
    input_take(u);
    irq_update(u);
}

static u8 rbr_read(struct vuart *u)
{
    u8 byte = u->rbr;

    if (u->fcr & FCR_ENABLE) {
        byte = u->rx_count ? u->rx[u->rx_first] : 0;
        if (u->rx_count) {
            u->rx_first = (u8)((u->rx_first + 1) % FIFO);
            u->rx_count--;
        }
    }
    if (!(u->fcr & FCR_ENABLE) || !u->rx_count)
        u->lsr &= (u8)~LSR_DR;
    input_take(u);
    return byte;
}

static void thr_write(struct vuart *u, u8 byte)
{
    char text = (char)byte;

    if (u->mcr & MCR_LOOP) {
        receive(u, byte);
        u->thr_pending = true;
        return;
    }
    if (!(u->lsr & LSR_THRE)) {
        // THRE says that a whole FIFO is free, of which the byte before this one took a place (data
        // sheet, 8.4); a guest that writes more than that loses its own bytes.
        if (u->tx_count < (u->fcr & FCR_ENABLE ? FIFO : 1))
            u->tx[u->tx_count++] = byte;
        return;
    }
    u->thr_pending = false;
    u->dev.vm->console_write(u->dev.vm, &text, 1);
    u->lsr &= (u8) ~(LSR_THRE | LSR_TEMT);
    transmitter_check(u);
}

static u8 iir_read(struct vuart *u)
{
    u8 iir = iir_now(u);

    if (iir == IIR_THRI)
        u->thr_pending = false; // reading it is the acknowledgement
    return iir | (u->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static u8 lsr_read(struct vuart *u)
{
    u8 lsr;

    transmitter_check(u);
    lsr = u->lsr;
    u->lsr &= (u8)~LSR_ERRORS;
    return lsr;
}

static u8 msr_read(struct vuart *u)
{
    u8 msr = u->msr;

    if (u->mcr & MCR_LOOP)
        return (u8)((u->mcr & MCR_OUT) << 4 | (u->mcr & MCR_RTS) << 3 | (u->mcr & MCR_DTR) << 5);
    u->msr &= (u8)~MSR_ANY_DELTA;
    return msr;
}

static void ier_write(struct vuart *u, u8 value)
{
    u8 changed = u->ier ^ value;

    u->ier = value & 0x0f;
    if (changed & IER_THRI) // switching it on tells of an empty transmitter once more
        u->thr_pending = u->ier & IER_THRI && u->lsr & LSR_THRE;
}

static void fcr_write(struct vuart *u, u8 value)
{
    if ((u->fcr ^ value) & FCR_ENABLE)
        value |= FCR_CLEAR_RX | FCR_CLEAR_TX;
    if (value & FCR_CLEAR_RX) {
        u->lsr &= (u8)~LSR_DR;
        u->rx_count = 0;
    }
    if (value & FCR_CLEAR_TX) {
        u->tx_count    = 0;
        u->thr_pending = u->lsr & LSR_THRE;
    }
    u->fcr = value & FCR_KEPT;
    input_take(u);
}

static u8 reg_read(struct vuart *u, u64 reg)
{
    bool dlab = u->lcr & LCR_DLAB;

    switch (reg) {
    case RBR_THR_DLL: return dlab ? (u8)u->divisor : rbr_read(u);
    case IER_DLM:     return dlab ? (u8)(u->divisor >> 8) : u->ier;
    case IIR_FCR:     return iir_read(u);
    case LCR:         return u->lcr;
    case MCR:         return u->mcr;
    case LSR:         return lsr_read(u);
    case MSR:         return msr_read(u);
    case SCR:         return u->scr;
    default:          return 0;
    }
}

static void divisor_write(struct vuart *u, u64 reg, u8 value)
{
    u->divisor = (u16)(reg == RBR_THR_DLL ? (u->divisor & 0xff00) | value
                                          : (u->divisor & 0x00ff) | value << 8);
}

static void reg_write(struct vuart *u, u64 reg, u8 value)
{
    if (u->lcr & LCR_DLAB && reg <= IER_DLM) {
        divisor_write(u, reg, value);
        return;
    }
    switch (reg) {
    case RBR_THR_DLL: thr_write(u, value); break;
    case IER_DLM:     ier_write(u, value); break;
    case IIR_FCR:     fcr_write(u, value); break;
    case LCR:         u->lcr = value; break;
    case MCR:         u->mcr = value & MCR_KEPT; break;
    case SCR:         u->scr = value; break;
    default:          break; // LSR and MSR cannot be written
    }
}

static bool vuart_access(struct vdev *d, struct mmio *m)
{
    struct vuart *u = vuart_of(d);

    if (m->write)
        reg_write(u, m->off, (u8)m->value);
    else
        m->value = reg_read(u, m->off);
    irq_update(u);
    return true;
}

// As firmware leaves it: 115200 8N1, FIFO on.
static void vuart_reset(struct vdev *d)
{
    struct vuart *u = vuart_of(d);

    memset((char *)u + sizeof u->dev, 0, sizeof *u - sizeof u->dev);
    u->lcr               = 3;
    u->fcr               = FCR_ENABLE;
    u->lsr               = LSR_THRE | LSR_TEMT;
    u->msr               = MSR_CONNECTED;
    u->divisor           = DIVISOR_115200;
    d->vm->console_ready = board_console_ready;
}

static void vuart_describe(const struct vdev *d, void *fdt)
{
    static const char compatible[] = "ns16550a";

    board_node_begin(fdt, d->ops, "serial", compatible, sizeof compatible);
    fdt_property_u32(fdt, "clock-frequency", CLOCK_HZ);
    board_node_end(fdt);
}

static void vuart_show(const struct vdev *d, struct out *o)
{
    const struct vuart *u = vuart_of((struct vdev *)d);

    out_printf(o, "%s: ier %02x lcr %02x mcr %02x lsr %02x, %u bytes to read, %u to send",
               vuart_ops.name, u->ier, u->lcr, u->mcr, u->lsr, u->rx_count, u->tx_count);
}

const struct vdev_ops vuart_ops = {
    .name          = "uart",
    .state_size    = sizeof(struct vuart),
    .sizes         = 1 | 2 | 4 | 8,
    .base          = VUART_BASE,
    .size          = 8,
    .irq           = VUART_IRQ,
    .access        = vuart_access,
    .reset         = vuart_reset,
    .console_ready = vuart_console_ready,
    .describe      = vuart_describe,
    .show          = vuart_show,
};

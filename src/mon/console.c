// SPDX-License-Identifier: MIT
// The console multiplexer.
//
// In:     bytes from the serial line; bytes from VMs; lines of the log.
// Out:    the same, to whom they belong.
// Always: a VM's output waits in the VM when the line is busy; the monitor's lines do not.
// Locks:  none yet; boot hart only.
#include "mon/console.h"

#include "dev/serial.h"
#include "lib/log.h"

#define INPUT 256 // a power of two

static struct vm *keyboard; // the VM that has it
static u8         typed[INPUT];
static u32        typed_in, typed_out; // free-running

// What a VM may put into the line's ring must leave room for lines of the monitor.
#define ROOM_FOR_GUEST 4096

static bool vm_room(struct vm *vm)
{
    (void)vm;
    return serial_has_room(ROOM_FOR_GUEST);
}

static void vm_write(struct vm *vm, const char *text, size_t len)
{
    (void)vm;
    serial_write(text, len);
}

static int vm_read(struct vm *vm)
{
    if (vm != keyboard || typed_in == typed_out)
        return -1;
    if (typed_in - typed_out == INPUT / 2)
        serial_hold(false);
    return typed[typed_out++ % INPUT];
}

static void on_input(void *arg, u8 byte)
{
    (void)arg;
    if (typed_in - typed_out < INPUT)
        typed[typed_in++ % INPUT] = byte;
    if (typed_in - typed_out == INPUT)
        serial_hold(true); // until half of it was read: a paste is longer than the ring
    if (keyboard && keyboard->state == VM_RUNNING)
        keyboard->console_ready(keyboard);
}

static void on_room(void *arg)
{
    (void)arg;
    for (unsigned i = 0; i < n_vms; i++)
        if (vms[i]->state == VM_RUNNING)
            vms[i]->console_ready(vms[i]);
}

// A line of text ends with CR and LF on a terminal.
static void log_write(struct out *o, const char *text, size_t len)
{
    (void)o;
    for (; len; text++, len--) {
        if (*text == '\n')
            serial_write("\r", 1);
        serial_write(text, 1);
    }
}

void console_init(void)
{
    static struct out log = { log_write };

    serial_attach(on_input, on_room, NULL);
    log_to(&log);
}

void console_attach(struct vm *vm)
{
    vm->console_room  = vm_room;
    vm->console_write = vm_write;
    vm->console_read  = vm_read;
    if (!keyboard)
        keyboard = vm;
}

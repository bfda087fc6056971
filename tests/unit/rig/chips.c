// SPDX-License-Identifier: MIT
// Stand-ins for the machine's chips.
//
// In:     what the monitor asks of timer, clock, serial line, interrupt controller and power
//         switch.
// Out:    the same, recorded in `chips`.
// Always: a panic or a power-off that no test expects aborts the program, and so fails it.
// Locks:  none.
#include "dev/clock.h"
#include "dev/irq.h"
#include "dev/machine.h"
#include "dev/power.h"
#include "dev/serial.h"
#include "dev/wallclock.h"
#include "lib/panic.h"
#include "rig/rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct chips chips;

void bench_reset(void)
{
    memset(&chips, 0, sizeof chips);
    fake_hart_reset();
    memset(&machine, 0, sizeof machine);
    machine.timebase_hz = 10000000;
    isa_filter("rv64imafdc_sstc_svinval_svnapot_svpbmt", true, &machine.isa);
    chips.armed        = ~0ul;
    chips.serial_room  = sizeof chips.serial;
    chips.wallclock_ns = 1700000000000000000ul;
    memset(vms, 0, sizeof vms);
    n_vms = 0;
}

bool clock_present(void)
{
    return true;
}

u64 clock_now(void)
{
    return fake_hart.time += chips.clock_step;
}

void clock_arm(u64 deadline_ticks)
{
    chips.armed = chips.armed_on[hart_index()] = deadline_ticks;
    chips.n_armed++;
}

void clock_ipi_clear(u32 hart)
{
    chips.n_ipi_clear++;
    chips.poked[hart % MAX_HARTS] = false;
    fake_hart.irq_pending &= ~BIT(IRQ_MSI);
}

void clock_ipi_send(u32 hart)
{
    chips.n_ipi++;
    chips.poked[hart % MAX_HARTS] = true;
    if (hart == fake_hart.id)
        fake_hart.irq_pending |= BIT(IRQ_MSI);
}

void irq_handle(void)
{
    chips.n_irq++;
}

u64 wallclock_ns(void)
{
    return chips.wallclock_ns;
}

bool serial_has_room(size_t n)
{
    return n <= chips.serial_room;
}

void serial_write(const char *text, size_t len)
{
    for (; len && chips.n_serial < sizeof chips.serial; len--)
        chips.serial[chips.n_serial++] = *text++;
}

void serial_drain(void)
{
}

void serial_seize(void)
{
}

void serial_hold(bool hold)
{
    chips.is_held = hold;
}

void serial_attach(void (*input)(void *arg, u8 byte), void (*room)(void *arg), void *arg)
{
    chips.serial_input = input;
    chips.serial_ready = room;
    chips.serial_arg   = arg;
}

NORETURN void power_off(u16 code)
{
    if (chips.may_power_off)
        longjmp(chips.powered_off, 1);
    fprintf(stderr, "the machine was powered off, code %u\n", code);
    abort();
}

NORETURN void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(chips.panic_text, sizeof chips.panic_text, format, args);
    va_end(args);
    if (chips.may_panic)
        longjmp(chips.panicked, 1);
    fprintf(stderr, "panic: %s\n", chips.panic_text);
    abort();
}

u64 dice(u64 *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dul;
}

u64 dice_below(u64 *state, u64 n)
{
    return dice(state) % n;
}

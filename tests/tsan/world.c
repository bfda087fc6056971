// SPDX-License-Identifier: MIT
// The world: what the monitor finds below it, for several threads at once.
//
// In:     time of this computer.
// Out:    timers and IPIs of harts that are threads.
// Always: a hart that waits sleeps until its timer or an IPI; nothing else wakes it.
// Locks:  none; IPIs are atomic, all else is a thread's own.
#include "world.h"

#include "dev/clock.h"
#include "dev/irq.h"
#include "dev/machine.h"
#include "dev/power.h"
#include "dev/wallclock.h"
#include "lib/panic.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const u32 ids[WORLD_HARTS] = { 5, 0, 2 };

static atomic_bool       ipi[8]; // by number
static _Thread_local u64 armed = ~0ul;

_Thread_local u64 world_dice;

// A race is the end; the default is to go on.
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "halt_on_error=1";
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

u64 clock_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (u64)t.tv_sec * 10000000 + (u64)t.tv_nsec / 100;
}

bool clock_present(void)
{
    return true;
}

void clock_arm(u64 deadline_ticks)
{
    armed = deadline_ticks;
}

void clock_ipi_send(u32 hart)
{
    atomic_store(&ipi[hart], true);
}

void clock_ipi_clear(u32 hart)
{
    atomic_store(&ipi[hart], false);
}

static u64 lines(void)
{
    return (atomic_load(&ipi[hart_id()]) ? BIT(IRQ_MSI) : 0) |
           (clock_now() >= armed ? BIT(IRQ_MTI) : 0);
}

static void waits(void)
{
    while (!hart_irq_pending())
        usleep(20);
}

void world_hart(u32 index, void (*guest)(struct frame *f))
{
    fake_hart.index     = index;
    fake_hart.id        = ids[index];
    fake_hart.ext_has   = STATUS_FS;
    fake_hart.more_irqs = lines;
    fake_hart.on_wait   = waits;
    fake_hart.on_run    = guest;
    world_dice          = clock_now() * 2 + 1;
}

u64 irq_again_at = ~0ul;

void irq_handle(void)
{
}

u64 wallclock_ns(void)
{
    return clock_now() * 100;
}

NORETURN void power_off(u16 code)
{
    world_fail("powered off, code %u", code);
}

void world_fail(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n0 passed, 1 failed\n");
    _exit(1);
}

NORETURN void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    world_fail(" (the monitor panics)");
}

// SPDX-License-Identifier: MIT
// The monitor's last words.
//
// In:     a trap in the monitor's own code, or a condition that does not hold.
// Out:    cause, registers, a backtrace; the machine powers off with code PANIC_CODE.
// Always: one hart has them.  A second failure there ends at once; other harts leave their guests
//         and stop, at the latest when they wait for a lock or look at their interrupts.
// Locks:  none.
#include "lib/panic.h"
#include "arch/hart.h"
#include "arch/lock.h"
#include "arch/riscv/image.h"
#include "arch/riscv/layout.h"
#include "dev/power.h"
#include "dev/serial.h"
#include "lib/bits.h"
#include "lib/log.h"
#include "mon/console.h"
#include "vm/sched.h"

#include <stdarg.h>
#include <stdio.h>

#define PANIC_CODE      3
#define BACKTRACE_MAX   16
#define BACKTRACE_WORDS 1024

static void begin(void)
{
    hart_irq_enable(0);
    if (!last_words_take())
        power_off(PANIC_CODE);
    harts_stop();
    console_last_words();
}

NORETURN static void end(void)
{
    log_line("halted; addresses are for addr2line -e build/duomo.elf");
    serial_drain();
    power_off(PANIC_CODE);
}

static u64 as_linked(u64 pc)
{
    return pc - (u64)_image_start + LINK_BASE;
}

// Does a return to this address make sense: is there a call before it?
static bool is_return_address(u64 at)
{
    const u16 *code = (const u16 *)at;

    if (at % 2 || at < (u64)_image_start + 4 || at >= (u64)_text_end)
        return false;
    return (code[-1] & 0xf07f) == 0x9002 ||        // c.jalr
           (code[-2] & 0xfff) == 0x0ef ||          // jal ra
           ((code[-2] & 0x7fff) & 0xfff) == 0x0e7; // jalr ra
}

// There are no frame pointers; the stack is read for what looks like return addresses.
static void backtrace(u64 sp)
{
    u64 stack  = (u64)_stacks + hart_index() * STACK_STRIDE;
    u64 bottom = stack + STACK_GUARD; // below lies what nobody may read
    u64 at     = max_u64(align_up(sp, 8), bottom);
    u64 top    = min_u64(stack + STACK_STRIDE, at + 8 * BACKTRACE_WORDS);

    for (int n = 0; at < top && n < BACKTRACE_MAX; at += 8)
        if (is_return_address(*(u64 *)at)) {
            log_line("    from %lx", (unsigned long)as_linked(*(u64 *)at));
            n++;
        }
}

void panic(const char *format, ...)
{
    char    line[160];
    va_list args;
    u64     here = 0;

    begin();
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    log_line("PANIC: hart %u: %s", (unsigned)hart_id(), line);
    backtrace((u64)&here);
    end();
}

NORETURN void __stack_chk_fail(void);
void          __stack_chk_fail(void)
{
    panic("a buffer on the stack has overflowed");
}

void own_trap(const struct frame *f)
{
    begin();
    log_line("PANIC: the monitor has trapped: cause %lx, pc %lx (as linked %lx), tval %lx",
             (unsigned long)f->cause, (unsigned long)f->pc, (unsigned long)as_linked(f->pc),
             (unsigned long)f->tval);
    for (int i = 0; i < 32; i += 4)
        log_line("    x%-2d %016lx %016lx %016lx %016lx", i, (unsigned long)f->x[i],
                 (unsigned long)f->x[i + 1], (unsigned long)f->x[i + 2],
                 (unsigned long)f->x[i + 3]);
    backtrace(f->x[2]);
    end();
}

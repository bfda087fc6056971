// SPDX-License-Identifier: MIT
// Reboots itself, over and over, by SRST (warm and cold) and by the syscon device.  Each life
// marks all of the VM's memory that is not its own image, and leaves its hart and its devices in a
// state of its own; the next life looks for both and finds none.  Each life tells when it began:
// all take equally long.  It tells its seed, too, which nobody else has.
// What the command line says: quick=1 does nothing in between, so that a life is a start.
// Shows: S3 P12 C7
#include "hostile.h"

#define MARK 0x6b72614d2d796d20ul

extern char image_start[], image_end[];

// In all of RAM but this image and the device tree behind it: how many marks there were.
static u64 find_and_mark(u64 from, u64 to, u64 step)
{
    u64 found = 0;

    for (u64 at = from; at < to; at += step) {
        found += *(volatile u64 *)at == MARK;
        *(volatile u64 *)at = MARK;
    }
    return found;
}

// Where no boot protocol puts anything: every byte must be zero.
static u64 dirt(u64 from, u64 to, u64 step)
{
    u64 n = 0;

    for (u64 at = from; at < to; at += step)
        n += *(volatile u64 *)at != 0;
    return n;
}

// What the last life left in the hart and the devices, in the order of find_state().
static void state_leave(void)
{
    poke32(RTC + RTC_ALARM_HIGH, ~0u);
    poke32(RTC + RTC_ALARM_LOW, ~0u);
    poke32(RTC + RTC_IRQ_ENABLED, 1);
    plic_enable(IRQ_UART, 7);
    poke32(PLIC_THRESHOLD(CONTEXT_S), 3);
    uart_line_raise();
    poke8(UART + UART_SCR, 0x6b);
    poke8(UART + UART_MCR, 0x10);
    csr_write(CSR_SCOUNTEREN, 0);
    csr_write(CSR_SIE, ~0ul);
    csr_write(CSR_SEPC, MARK);
    csr_write(CSR_STVAL, MARK);
    csr_write(CSR_SCAUSE, 5);
    csr_set(CSR_SIP, INT_SSI);
    timer_set(0);
    csr_set(CSR_SSTATUS, SSTATUS_SUM | SSTATUS_MXR);
}

// How much of that is still there.  (f0 to f31 are undefined after a reset; only one VM has them.)
static u64 state_find(void)
{
    u64 n = 0;

    n += csr_read(CSR_SEPC) == (MARK & ~1ul) || csr_read(CSR_STVAL) == MARK;
    n += !!(boot_state.sstatus & (SSTATUS_SIE | SSTATUS_SUM | SSTATUS_MXR)) + !!boot_state.sie;
    n += !!csr_read(CSR_SIP) + !!boot_state.satp;
    n += peek32(RTC + RTC_ALARM_STATUS) + peek32(RTC + RTC_IRQ_ENABLED);
    n += peek32(PLIC_PRIORITY(IRQ_UART)) + peek32(PLIC_ENABLE(CONTEXT_S, 0));
    n += peek32(PLIC_THRESHOLD(CONTEXT_S)) + peek32(PLIC_PENDING(0));
    n += peek8(UART + UART_SCR) + peek8(UART + UART_MCR) + peek8(UART + UART_IER);
    return n;
}

static void end_of_life(u64 way)
{
    switch (way % 3) {
    case 0: sbi_call(SBI_SRST, 0, 1, 0); break;
    case 1: sbi_call(SBI_SRST, 0, 2, 1); break;
    case 2: poke32(SYSCON, 0x7777); break;
    }
    for (;;)
        ;
}

GUEST(reboot)
{
    u64 now = time_now(), step = arg("step", 4096 + 8), left = state_find();

    if (arg("quick", 0)) {
        say("life at_us=%lu seed=%lx", now / 10, boot_seed());
        end_of_life(now);
    }

    u64 unclean = dirt((u64)image_end, boot_state.fdt, step) + dirt(RAM, (u64)image_start, step);
    u64 found   = find_and_mark((u64)image_end, boot_state.fdt, step) +
                find_and_mark(RAM, (u64)image_start, step);

    say("life at_us=%lu seed=%lx marks=%lu dirt=%lu left=%lu", now / 10, boot_seed(), found, unclean,
        left);
    state_leave();
    end_of_life(now);
}

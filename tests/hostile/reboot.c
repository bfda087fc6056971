// SPDX-License-Identifier: MIT
// Reboots itself, over and over, by SRST (warm and cold) and by the syscon device.  Each life marks
// all of the VM's memory that is not its own image; the next life looks for the mark and finds none.
// Each life tells when it began: all take equally long.
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
    u64 now = time_now(), step = arg("step", 4096 + 8);
    u64 unclean = dirt((u64)image_end, boot_state.fdt, step) + dirt(RAM, (u64)image_start, step);
    u64 found = find_and_mark((u64)image_end, boot_state.fdt, step) +
                find_and_mark(RAM, (u64)image_start, step);

    say("life at_us=%lu marks=%lu dirt=%lu", now / 10, found, unclean);
    end_of_life(now);
}

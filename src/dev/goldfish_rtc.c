// SPDX-License-Identifier: MIT
// Goldfish real-time clock (the Android emulator's; QEMU docs/specs, hw/rtc/goldfish_rtc).
//
// In:     nothing.
// Out:    nanoseconds since 1970.
// Always: TIME_LOW latches TIME_HIGH, so low is read first.
// Locks:  one, for the pair of reads.
#include "arch/lock.h"
#include "dev/clock.h"
#include "dev/driver.h"
#include "dev/dt.h"
#include "dev/machine.h"
#include "dev/wallclock.h"

#define TIME_LOW  0x00
#define TIME_HIGH 0x04

static u64         rtc;
static struct lock rtc_lock;

bool goldfish_rtc_probe(const void *fdt, int node)
{
    u64 size;

    return dt_reg(fdt, node, 0, &rtc, &size);
}

u64 wallclock_ns(void)
{
    if (!rtc)
        return clock_now() * (1000000000 / machine.timebase_hz);

    lock_take(&rtc_lock);
    u64 low = mmio_read32(rtc + TIME_LOW), high = mmio_read32(rtc + TIME_HIGH);

    lock_drop(&rtc_lock);
    return high << 32 | low;
}

// SPDX-License-Identifier: MIT
// SiFive's test finisher: QEMU's way to end the machine with an exit code.
//
// In:     "off", with success or a failure code.
// Out:    the machine is gone.
// Always: without the device the hart is parked.
#include "arch/hart.h"
#include "dev/driver.h"
#include "dev/dt.h"
#include "dev/power.h"

#define FINISHER_FAIL 0x3333
#define FINISHER_PASS 0x5555

static u64 finisher;

bool finisher_probe(const void *fdt, int node)
{
    u64 size;

    return dt_reg(fdt, node, 0, &finisher, &size);
}

void power_off(u16 code)
{
    if (finisher)
        mmio_write32(finisher, code ? (u32)code << 16 | FINISHER_FAIL : FINISHER_PASS);
    hart_irq_enable(0);
    for (;;)
        hart_wait();
}

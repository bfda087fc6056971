// SPDX-License-Identifier: MIT
// CLINT: mtime, mtimecmp, msip.
//
// In:     deadlines.
// Out:    timer interrupts of the hart that asked.
// Always: mtime is read through the `time` CSR where the hart has it, which needs no bus access.
// Locks:  none; each hart writes only its own registers, and sets msip of others.
#include "arch/hart.h"
#include "dev/clock.h"
#include "dev/driver.h"
#include "dev/dt.h"

#define CLINT_MSIP     0x0000
#define CLINT_MTIMECMP 0x4000
#define CLINT_MTIME    0xbff8

static u64 clint;

bool clint_probe(const void *fdt, int node)
{
    u64 size;

    return !clint && dt_reg(fdt, node, 0, &clint, &size) && size > CLINT_MTIME;
}

bool clock_present(void)
{
    return clint != 0;
}

u64 clock_now(void)
{
    return hart_caps.time_csr ? hart_time_csr() : mmio_read64(clint + CLINT_MTIME);
}

void clock_arm(u64 deadline_ticks)
{
    mmio_write64(clint + CLINT_MTIMECMP + 8ul * hart_id(), deadline_ticks);
}

// What was written before is seen by the hart that is interrupted.
void clock_ipi_send(u32 hart)
{
    hart_fence_devices();
    mmio_write32(clint + CLINT_MSIP + 4ul * hart, 1);
}

// One that comes while we look at what the last was for is a new one.
void clock_ipi_clear(u32 hart)
{
    mmio_write32(clint + CLINT_MSIP + 4ul * hart, 0);
    hart_fence_devices();
}

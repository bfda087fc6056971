// SPDX-License-Identifier: MIT
// How the kernel begins, and what the firmware knows and can: the device tree, read by libfdt, and
// the supervisor binary interface (SBI specification 2.0).  The addresses of the devices are in the
// tree, too; the drivers know them, because every `virt` board has them there.
//
// In:     the first instruction after boot.S; deadlines, and the wish to end.
// Out:    the first process; the time; ecall from supervisor mode: to OpenSBI on the bare board, to
//         Duomo in a virtual machine.
#include "kernel.h"

#include <libfdt.h>

static u64 ticks_per_ms;

// The kernel's command line, if there is one, comes behind the shell's name.
struct proc *kernel_main(u64 hart, const void *fdt)
{
    const u32  *hz   = fdt_getprop(fdt, fdt_path_offset(fdt, "/cpus"), "timebase-frequency", NULL);
    const char *args = fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "bootargs", NULL);
    static char line[LINE_SIZE];

    memset(bss, 0, (u64)bss_end - (u64)bss);
    ticks_per_ms = fdt32_to_cpu(*hz) / 1000;
    console_init();
    disk_init();
    csr_write(sie, 1ul << INT_TIMER | 1ul << INT_DEVICE);
    printf("figura: up on hart %lu, in supervisor mode\n", hart);
    snprintf(line, LINE_SIZE, "shell %s", args ? args : "");
    proc_spawn(line);
    return proc_next(true);
}

u64 clock_ms(void)
{
    return csr_read(time) / ticks_per_ms;
}

void timer_set(u64 ms)
{
    sbi_call(ms * ticks_per_ms, 0, EXT_TIME, 0);
}

// a0: shutdown or cold reboot; a1: no reason, or system failure.
_Noreturn void power(bool again, bool failed)
{
    sbi_call(again, failed, EXT_SRST, 0);
    for (;;)
        __asm__ volatile("wfi");
}

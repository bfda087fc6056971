// SPDX-License-Identifier: MIT
// The kernel: its boot order, and the one loop that it consists of from then on.
//
// In:     hart id and device tree, from the firmware or from Duomo.
// Out:    processes that run in turn.
// Always: the kernel runs on one stack with interrupts off, and never waits inside a system call:
//         who must wait tries again (proc.c).  So a switch from one process to another is just
//         another argument for proc_run().
#include "kernel.h"

#include <stdio.h>
#include <string.h>

_Noreturn void kernel_main(u64 hart, const void *fdt)
{
    char line[LINE_SIZE] = "shell ";

    dt_read(fdt);
    console_init(hart);
    page_init();
    csr_write(sie, 1ul << IRQ_TIMER | 1ul << IRQ_DEVICE);
    printf("figura: up on hart %lu, in supervisor mode\n", hart);

    strncat(line, boot_args, sizeof line - strlen(line) - 1);
    proc_spawn(line);
    for (;;) {
        struct proc *p = proc_next();

        space_enter(p->root);
        proc_run(p);
        trap_handle(p);
    }
}

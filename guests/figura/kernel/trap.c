// SPDX-License-Identifier: MIT
// Why a process has stopped running, and what follows (privileged specification 1.12, 4.1.8).
//
// In:     scause and stval, as the trap left them.
// Out:    a system call done, an interrupt served, or the process killed.
// Always: a process can do nothing that ends more than itself.
#include "kernel.h"

#include <stdio.h>

#define EXC_ECALL_U 8

static const char *const causes[16] = {
    [0] = "misaligned jump",   [1] = "fetch access fault", [2] = "illegal instruction",
    [3] = "breakpoint",        [4] = "misaligned load",    [5] = "load access fault",
    [6] = "misaligned store",  [7] = "store access fault", [9] = "system call",
    [12] = "fetch page fault", [13] = "load page fault",   [15] = "store page fault",
};

static const char *cause_text(u64 cause)
{
    return cause < 16 && causes[cause] ? causes[cause] : "unknown trap";
}

// A page fault's address is in stval; for an illegal instruction stval is no address.
static void violation(struct proc *p, u64 cause, u64 tval)
{
    printf("figura: process %lu (%s): %s at 0x%lx", p->pid, p->name, cause_text(cause), p->pc);
    if (cause >= 4)
        printf(", address 0x%lx", tval);
    printf(", killed\n");
    proc_end(p);
}

void interrupt_handle(u64 irq)
{
    if (irq == IRQ_DEVICE)
        device_interrupt();
    else
        turn_end(); // and the next turn's timer replaces this one
}

void trap_handle(struct proc *p)
{
    u64 cause = csr_read(scause), tval = csr_read(stval);

    if (cause & INTERRUPT)
        interrupt_handle(cause & ~INTERRUPT);
    else if (cause == EXC_ECALL_U)
        syscall_try(p);
    else
        violation(p, cause, tval);
}

_Noreturn void kernel_trap(u64 cause, u64 pc, u64 tval)
{
    printf("figura: the kernel itself: %s at 0x%lx, address 0x%lx; off\n", cause_text(cause), pc,
           tval);
    power(POWER_FAIL);
}

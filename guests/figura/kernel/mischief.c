// SPDX-License-Identifier: MIT
// What a kernel should not do.  On the bare board each of these costs the whole machine; in a
// virtual machine it costs just that machine, and Duomo goes on.
//
// In:     which one (call.h).
// Out:    nothing good.
#include "kernel.h"

#include <stdio.h>

#define EXT_BASE    0x10
#define STORM_CALLS 100

// Interrupts are off in the kernel, so no timer ends this.
static _Noreturn void spin(void)
{
    printf("figura: the kernel spins with interrupts off\n");
    for (;;)
        ;
}

// No trap entry: the trap leads to address 0, where a fetch is the next trap, and so on for ever.
static _Noreturn void crash_trap(void)
{
    printf("figura: the kernel has no trap entry any more, and traps\n");
    hart_break();
}

// The kernel's own fault: kernel_trap() reports it and powers off with "system failure".
static long crash_fail(void)
{
    volatile u64 *nowhere = NULL;

    __asm__("" : "+r"(nowhere));
    return (long)*nowhere;
}

// All interrupts disabled: wfi has nothing to wait for.  Unlike `spin` it costs the hart nothing.
static _Noreturn void crash_hang(void)
{
    printf("figura: the kernel waits for nothing\n");
    csr_write(sie, 0);
    for (;;)
        __asm__ volatile("wfi");
}

// Calls of the firmware, needless flushes, and a timer that rings at once.
static long storm(void)
{
    for (int i = 0; i < STORM_CALLS; i++) {
        sbi_call(EXT_BASE, 0, 0, 0);
        __asm__ volatile("sfence.vma" ::: "memory");
    }
    timer_set(0);
    return 0;
}

long sys_mischief(struct proc *p, const u64 *a)
{
    (void)p;
    switch (a[0]) {
    case MISCHIEF_SPIN:  spin();
    case MISCHIEF_TRAP:  crash_trap();
    case MISCHIEF_FAIL:  return crash_fail();
    case MISCHIEF_HANG:  crash_hang();
    case MISCHIEF_STORM: return storm();
    default:             return -1;
    }
}

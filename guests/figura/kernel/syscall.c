// SPDX-License-Identifier: MIT
// System calls: what a process may ask of the kernel.  call.def tells what each takes.
//
// In:     a process that has executed ecall: number in a7, arguments in a0 and a1.
// Out:    the answer in a0, and the process behind its ecall; or the process waits.
// Always: arguments are any 64 bits.  A call that answers NOT_YET can be tried again until it
//         answers.
#include "kernel.h"

static long sys_list(void)
{
    static const char *const names[] = {
#define CALL(name) [CALL_##name] = #name,
#include "../call.def"
    };

    for (const struct proc *p = procs; p < procs + PROCS; p++)
        if (p->pid)
            printf("%3lu  %-16s %s%s\n", p->pid, p->name, p->waits ? "waits in " : "ready",
                   p->waits ? names[p->x[A7]] : "");
    return 0;
}

// What a kernel should not do.  On the bare board each of these costs the whole machine; in a
// virtual machine it costs just that machine, and Duomo goes on.
static long mischief(u64 which)
{
    static volatile u64 *nowhere = NULL;

    switch (which) {
    case MISCHIEF_FAIL: // kernel_trap() reports it and powers off with "system failure"
        return (long)*nowhere;
    case MISCHIEF_TRAP: // the trap leads to address 0, where a fetch is the next trap, and so on
        printf("figura: the kernel has no trap entry any more, and traps\n");
        csr_write(stvec, 0);
        __asm__ volatile("unimp");
        break;
    case MISCHIEF_HANG: // wfi has nothing to wait for; unlike `spin` it costs the hart nothing
        printf("figura: the kernel waits for nothing\n");
        csr_write(sie, 0);
        for (;;)
            __asm__ volatile("wfi");
    case MISCHIEF_SPIN: // interrupts are off in the kernel, so no timer ends this
        printf("figura: the kernel spins with interrupts off\n");
        for (;;)
            ;
    case MISCHIEF_STORM: // calls of the firmware, needless flushes, and a timer that rings at once
        for (int i = 0; i < 100; i++) {
            sbi_call(0, 0, EXT_BASE, 0);
            __asm__ volatile("sfence.vma" ::: "memory");
        }
        timer_set(0);
    }
    return 0;
}

// A process waits only for a younger one, so that no two can wait for each other.
static long answer(struct proc *p, u64 call, u64 a, u64 b)
{
    const char *text = user_at(p, a, call == CALL_write ? b : LINE_SIZE);

    switch (call) {
    case CALL_exit:        return proc_end(p);
    case CALL_write:       return text ? (long)fwrite(text, 1, b, stdout) : -1;
    case CALL_read:        return p == proc_foreground() ? console_take() : NOT_YET;
    case CALL_getpid:      return (long)p->pid;
    case CALL_time:        return (long)clock_ms();
    case CALL_sleep:       return clock_ms() < a ? NOT_YET : 0;
    case CALL_spawn:       return text ? proc_spawn(text) : -1;
    case CALL_wait:        return a > p->pid && proc_find(a) ? NOT_YET : 0;
    case CALL_kill:        return a > 1 && proc_find(a) ? proc_end(proc_find(a)) : -1;
    case CALL_list:        return sys_list();
    case CALL_blocks:      return (long)disk_blocks;
    case CALL_read_block:  return disk_move(p, a, b, false);
    case CALL_write_block: return disk_move(p, a, b, true);
    case CALL_power:       power(a, false);
    case CALL_mischief:    return mischief(a);
    default:               return -1;
    }
}

void syscall_try(struct proc *p)
{
    long value = answer(p, p->x[A7], p->x[A0], p->x[A1]);

    p->waits = value == NOT_YET;
    if (p->waits)
        return;
    p->x[A0] = (u64)value;
    p->pc += 4; // behind the ecall
}

// SPDX-License-Identifier: MIT
// System calls: what a process may ask of the kernel.  call.def tells what each takes.
//
// In:     a process that has executed ecall: number in a7, arguments in a0 to a2.
// Out:    the answer in a0, and the process behind its ecall; or the process waits.
// Always: arguments are any 64 bits.  A call that answers NOT_YET has changed nothing, so it can be
//         tried again until it answers.
#include "kernel.h"

#include <limits.h>
#include <string.h>

#define NOT_YET   LONG_MIN
#define WRITE_MAX 256ul // at once: nobody else runs meanwhile

static long sys_exit(struct proc *p, const u64 *a)
{
    (void)a;
    if (p->pid == 1)
        power(POWER_OFF);
    proc_end(p);
    return 0;
}

static long sys_write(struct proc *p, const u64 *a)
{
    u64 i;

    for (i = 0; i < a[1] && i < WRITE_MAX; i++) {
        const char *c = user_byte(p, a[0] + i, false);

        if (!c)
            return -1;
        uart_put(*c);
    }
    return (long)i;
}

static long sys_read(struct proc *p, const u64 *a)
{
    char *to = user_byte(p, a[0], true);
    int   c;

    if (!to)
        return -1;
    if (p != proc_foreground() || (c = console_take()) < 0)
        return NOT_YET;
    *to = (char)c;
    return 1;
}

static long sys_getpid(struct proc *p, const u64 *a)
{
    (void)a;
    return (long)p->pid;
}

static long sys_yield(struct proc *p, const u64 *a)
{
    (void)p, (void)a;
    turn_end();
    return 0;
}

static long sys_time(struct proc *p, const u64 *a)
{
    (void)p, (void)a;
    return (long)clock_ms();
}

static long sys_sleep(struct proc *p, const u64 *a)
{
    (void)p;
    return clock_ms() < a[0] ? NOT_YET : 0;
}

static long sys_spawn(struct proc *p, const u64 *a)
{
    char line[LINE_SIZE];

    for (u64 i = 0; i < sizeof line; i++) {
        const char *c = user_byte(p, a[0] + i, false);

        if (!c)
            return -1;
        line[i] = *c;
        if (!*c) {
            const struct proc *child = proc_spawn(line);

            return child ? (long)child->pid : -1;
        }
    }
    return -1;
}

// Only for a younger process, so that no two can wait for each other.
static long sys_wait(struct proc *p, const u64 *a)
{
    if (a[0] <= p->pid)
        return -1;
    return proc_find(a[0]) ? NOT_YET : 0;
}

static long sys_kill(struct proc *p, const u64 *a)
{
    struct proc *victim = proc_find(a[0]);

    (void)p;
    if (!victim || victim->pid == 1)
        return -1;
    proc_end(victim);
    return 0;
}

static long sys_list(struct proc *p, const u64 *a)
{
    struct info        info = { 0 };
    const struct proc *of   = &procs[a[0] % PROCS];

    if (a[0] >= PROCS || of->state == FREE)
        return a[0] < PROCS ? 0 : -1;
    info.pid      = of->pid;
    info.waits_in = of->state == WAITING ? of->x[A7] : CALLS;
    memcpy(info.name, of->name, sizeof info.name);
    return user_write(p, a[1], &info, sizeof info) ? 1 : -1;
}

static long sys_power(struct proc *p, const u64 *a)
{
    (void)p;
    power(a[0] ? POWER_REBOOT : POWER_OFF);
}

static long (*const rows[CALLS])(struct proc *p, const u64 *a) = {
#define CALL(name) [CALL_##name] = sys_##name,
#include "../call.def"
#undef CALL
};

void syscall_try(struct proc *p)
{
    u64  number = p->x[A7];
    long answer = number < CALLS ? rows[number](p, &p->x[A0]) : -1;

    if (p->state == FREE)
        return; // it has ended itself
    p->state = answer == NOT_YET ? WAITING : READY;
    if (answer == NOT_YET)
        return;
    p->x[A0] = (u64)answer;
    p->pc += 4; // behind the ecall
}

// SPDX-License-Identifier: MIT
// Processes, and who runs next: each that is ready has a turn of at most TURN_MS, in a circle.
//
// In:     command lines to run; the timer's interrupt, when a turn is over.
// Out:    the process to run.
// Always: process 1 is the shell, and the machine ends with it.  A process that waits is in a
//         system call that could not be answered yet; whenever the kernel looks for somebody to
//         run, the call is tried again.  So nobody needs to know who waits for what.
#include "kernel.h"

#include <stdio.h>
#include <string.h>

#define TURN_MS 10

struct proc     procs[PROCS];
static u64      pid_last;
static unsigned turn; // whose it is
static bool     turn_is_new = true;

struct proc *proc_find(u64 pid)
{
    for (struct proc *p = procs; p < procs + PROCS; p++)
        if (p->state != FREE && p->pid == pid)
            return p;
    return NULL;
}

// The line lies on top of the process's stack and is its argument.
struct proc *proc_spawn(const char *line)
{
    size_t       bytes = strlen(line) + 1;
    struct proc *p     = procs;

    while (p < procs + PROCS && p->state != FREE)
        p++;
    if (p == procs + PROCS)
        return NULL;
    *p = (struct proc){ .pc = USER, .root = space_make() };
    if (!p->root)
        return NULL;

    p->pid   = ++pid_last;
    p->state = READY;
    p->x[SP] = p->x[A0] = USER_END - (bytes + 15) / 16 * 16;
    user_write(p, p->x[A0], line, bytes);
    memcpy(p->name, line, strnlen(line, NAME_SIZE - 1));
    if (strchr(p->name, ' '))
        *strchr(p->name, ' ') = '\0';
    return p;
}

void proc_end(struct proc *p)
{
    if (p->pid == 1)
        power(POWER_FAIL);
    space_drop(p->root);
    p->state = FREE;
}

// Whom the shell waits for, or whom that one waits for, and so on: it has the keyboard.
struct proc *proc_foreground(void)
{
    struct proc *p = proc_find(1), *next = p;

    while (next) {
        p    = next;
        next = p->state == WAITING && p->x[A7] == CALL_wait ? proc_find(p->x[A0]) : NULL;
    }
    return p;
}

void turn_end(void)
{
    turn        = (turn + 1) % PROCS;
    turn_is_new = true;
}

// Nobody is ready: until the first sleeper's time, or until a device interrupts.  wfi ends when an
// interrupt pends, though sstatus.SIE keeps it from being taken.
static void idle(void)
{
    u64 wake = ~0ul, pending;

    for (const struct proc *p = procs; p < procs + PROCS; p++)
        if (p->state == WAITING && p->x[A7] == CALL_sleep && p->x[A0] < wake)
            wake = p->x[A0];
    timer_set(wake);
    turn_is_new = true;
    __asm__ volatile("wfi");
    pending = csr_read(sip);
    for (u64 irq = 0; irq < 16; irq++)
        if (pending >> irq & 1)
            interrupt_handle(irq);
}

static struct proc *turn_begin(void)
{
    if (turn_is_new)
        timer_set(clock_ms() + TURN_MS);
    turn_is_new = false;
    return &procs[turn];
}

struct proc *proc_next(void)
{
    for (;;) {
        for (unsigned i = 0; i < PROCS; i++) {
            if (procs[turn].state == WAITING)
                syscall_try(&procs[turn]);
            if (procs[turn].state == READY)
                return turn_begin();
            turn_end();
        }
        idle();
    }
}

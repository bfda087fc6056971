// SPDX-License-Identifier: MIT
// Processes: how they begin, what their traps lead to (privileged specification 1.12, 4.1.8), and
// who runs next: each that is ready has a turn of at most TURN_MS, in a circle.
//
// In:     the first instruction after boot.S; every trap.
// Out:    the process to go on with.
// Always: the kernel runs on one stack with interrupts off, and never waits inside a system call: a
//         process that waits is in one that could not be answered yet, and whenever the kernel looks
//         for somebody to run, the call is tried again.  So nobody needs to know who waits for what.
//         A process can do nothing that ends more than itself; but the machine ends with process 1,
//         the shell.
//
// Each process has an address space of three parts (Sv39, privileged specification 1.12, 4.4), one
// entry of the root table each.  Every leaf has A and D set, so that the hart never asks for them.
//
//     0x00000000  devices       the kernel's alone, where they are in memory
//     0x40000000  the process   its own memory; U is set here and nowhere else
//     0x80000000  the kernel    its alone, where it is in memory
#include "kernel.h"

enum { V = 1, R = 2, W = 4, X = 8, U = 16, A = 64, D = 128 };

#define PAGE          4096
#define SV39          (8ul << 60)
#define PTE(at, bits) ((u64)(at) >> 12 << 10 | (bits) | V)

#define TURN_MS 10

struct proc procs[PROCS];
static u64  pid_last, turn_end;

// --- address spaces ------------------------------------------------------------------------------

static const u64 devices[512] __attribute__((aligned(PAGE))) = {
    [0x0c000000 >> 21] = PTE(0x0c000000, R | W | A | D), // the PLIC, 2 MiB
    [0x0c200000 >> 21] = PTE(0x0c200000, R | W | A | D), // 2 MiB more of it
    [0x10000000 >> 21] = PTE(0x10000000, R | W | A | D), // the UART and virtio
};

// As the program finds it: its text and data from the beginning on, and then zeros.
static void space_make(struct proc *p)
{
    p->root[0]   = PTE(devices, 0);
    p->root[1]   = PTE(p->middle, 0);
    p->root[2]   = PTE(0x80000000, R | W | X | A | D); // 1 GiB
    p->middle[0] = PTE(p->pages, 0);
    for (u64 at = 0; at < USER_SIZE; at += PAGE)
        p->pages[at / PAGE] = PTE(p->memory + at, R | W | X | U | A | D);
    memcpy(p->memory, program, (u64)program_end - (u64)program);
    __asm__ volatile("fence.i" ::: "memory");
}

void *user_at(struct proc *p, u64 at, u64 bytes)
{
    u64 offset = at - USER;

    return offset <= USER_SIZE && bytes <= USER_SIZE - offset ? p->memory + offset : NULL;
}

// --- processes -----------------------------------------------------------------------------------

struct proc *proc_find(u64 pid)
{
    for (struct proc *p = procs; p < procs + PROCS; p++)
        if (p->pid == pid)
            return p;
    return NULL;
}

// The line lies on top of the process's memory, the stack below it.
long proc_spawn(const char *line)
{
    struct proc *p     = proc_find(0);
    u64          begin = clock_ms();

    if (!p)
        return -1;
    memset(p, 0, sizeof *p);
    space_make(p);
    p->pid   = ++pid_last;
    p->pc    = USER;
    p->x[SP] = p->x[A0] = USER + USER_SIZE - LINE_SIZE;
    strncpy(user_at(p, p->x[A0], LINE_SIZE), line, LINE_SIZE - 1);
    strncpy(p->name, line, NAME_SIZE - 1);
    p->name[strcspn(p->name, " ")] = '\0';
    turn_end += clock_ms() - begin; // the kernel's work is not taken from who asked for it
    timer_set(turn_end);
    return (long)p->pid;
}

long proc_end(struct proc *p)
{
    if (p->pid == 1)
        power(false, false);
    p->pid   = 0;
    p->waits = false;
    return 0;
}

// Whom the shell waits for, or whom that one waits for, and so on: it has the keyboard.
struct proc *proc_foreground(void)
{
    struct proc *p = proc_find(1);

    while (p->waits && p->x[A7] == CALL_wait && proc_find(p->x[A0]))
        p = proc_find(p->x[A0]);
    return p;
}

// --- whose turn it is ----------------------------------------------------------------------------

// Nobody is ready: until the first sleeper's time, or until a device interrupts.  wfi ends when an
// interrupt pends, though sstatus.SIE keeps it from being taken.
static void idle(void)
{
    u64 wake = ~0ul;

    for (const struct proc *p = procs; p < procs + PROCS; p++)
        if (p->waits && p->x[A7] == CALL_sleep && p->x[A0] < wake)
            wake = p->x[A0];
    timer_set(wake);
    __asm__ volatile("wfi");
    irq_handle();
}

static bool is_ready(struct proc *p)
{
    if (p->waits)
        syscall_try(p);
    return p->pid && !p->waits;
}

struct proc *proc_next(bool turn_is_over)
{
    static struct proc *turn = procs, *inside; // whose it is, and whose address space

    if (!turn_is_over && is_ready(turn))
        return turn;
    for (int tried = 1; turn = turn + 1 < procs + PROCS ? turn + 1 : procs, !is_ready(turn);
         tried++)
        if (tried % PROCS == 0)
            idle();
    turn_end = clock_ms() + TURN_MS;
    timer_set(turn_end);
    if (turn != inside) {
        csr_write(satp, SV39 | (u64)turn->root / PAGE);
        __asm__ volatile("sfence.vma" ::: "memory");
    }
    inside = turn;
    return turn;
}

// --- traps ---------------------------------------------------------------------------------------

static const char *const causes[16] = {
    "misaligned jump",  "fetch access fault", "illegal instruction", "breakpoint",
    "misaligned load",  "load access fault",  "misaligned store",    "store access fault",
    "system call",      "system call",        "unknown trap",        "system call",
    "fetch page fault", "load page fault",    "unknown trap",        "store page fault"
};

// A fault's address is in stval; for an illegal instruction stval is no address.
static void violation(struct proc *p, u64 cause, u64 tval)
{
    printf("figura: process %lu (%s): %s at 0x%lx", p->pid, p->name, causes[cause % 16], p->pc);
    if (cause != EXC_ILLEGAL)
        printf(", address 0x%lx", tval);
    printf(", killed\n");
    proc_end(p);
}

struct proc *trap_handle(struct proc *p)
{
    u64 cause = csr_read(scause), tval = csr_read(stval);

    switch (cause) {
    case EXC_ECALL_U:           syscall_try(p); break;
    case INTERRUPT(INT_DEVICE): irq_handle(); break;
    case INTERRUPT(INT_TIMER):  break;
    default:                    violation(p, cause, tval);
    }
    return proc_next(cause == INTERRUPT(INT_TIMER));
}

_Noreturn void kernel_trap(void)
{
    printf("figura: the kernel itself: %s at 0x%lx, address 0x%lx; off\n",
           causes[csr_read(scause) % 16], csr_read(sepc), csr_read(stval));
    power(false, true);
}

// SPDX-License-Identifier: MIT
// What the kernel's files offer each other, in the order in which README.md reads them.
#pragma once

#include "../call.h"

// clang-format off
#define csr_read(csr) ({ u64 value_; __asm__ volatile("csrr %0, " #csr : "=r"(value_)); value_; })
// clang-format on
#define csr_write(csr, value) __asm__ volatile("csrw " #csr ", %0" ::"r"(value) : "memory")

// scause (privileged specification 1.12, table 4.2).
enum { EXC_ILLEGAL = 2, EXC_ECALL_U = 8 };
#define INTERRUPT(n) (1ul << 63 | (n))
enum { INT_TIMER = 5, INT_DEVICE = 9 }; // and bits in sie

// Firmware (SBI specification 2.0, chapters 4, 6 and 10).
enum { EXT_BASE = 0x10, EXT_TIME = 0x54494d45, EXT_SRST = 0x53525354 };

#define USER      0x40000000ul // where a process finds its memory: figura.mk
#define USER_SIZE 0xa000ul

// A process.  boot.S knows the first two members; the registers have their numbers.
enum { SP = 2, A0 = 10, A1 = 11, A7 = 17 };

struct proc {
    u64  x[32], pc;
    u64  pid;   // 0: there is none here
    bool waits; // in the system call of x[A7], whose arguments are still in x
    char name[NAME_SIZE];

    // Its address space:
    u64  root[512] __attribute__((aligned(4096))), middle[512], pages[512];
    char memory[USER_SIZE];
};

// boot.S and figura.ld
extern const char program[], program_end[];
extern char       bss[], bss_end[];
void              sbi_call(u64 a0, u64 a1, u64 extension, u64 function);

// proc.c
#define PROCS 8
extern struct proc procs[PROCS];
struct proc       *proc_next(bool turn_is_over);
struct proc       *trap_handle(struct proc *p);
_Noreturn void     kernel_trap(void);
long               proc_spawn(const char *line); // its number; -1: no room
struct proc       *proc_find(u64 pid);           // NULL: no such process
struct proc       *proc_foreground(void);
long               proc_end(struct proc *p);
void              *user_at(struct proc *p, u64 at, u64 bytes); // NULL: not all is its own

// syscall.c
#define NOT_YET (-2) // an answer: it is not over, and the same is to be asked again
void syscall_try(struct proc *p);

// console.c
void console_init(void);
long console_take(void); // a character typed, or NOT_YET
void irq_handle(void);

// disk.c
extern u64 disk_blocks; // 0: there is none
void       disk_init(void);
void       disk_interrupt(void);
long       disk_move(struct proc *p, u64 block, u64 at, bool to_disk);

// main.c
struct proc   *kernel_main(u64 hart, const void *fdt);
u64            clock_ms(void);
void           timer_set(u64 ms); // an interrupt then
_Noreturn void power(bool again, bool failed);

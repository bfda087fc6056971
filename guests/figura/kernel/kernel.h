// SPDX-License-Identifier: MIT
// What the kernel's files offer each other, in the order in which README.md reads them.
#pragma once

#include "../call.h"

#define csr_read(csr)                                                                              \
    ({                                                                                             \
        u64 value_;                                                                                \
        __asm__ volatile("csrr %0, " #csr : "=r"(value_)::"memory");                               \
        value_;                                                                                    \
    })
#define csr_write(csr, value) __asm__ volatile("csrw " #csr ", %0" ::"r"(value) : "memory")

#define INTERRUPT  (1ul << 63) // in scause
#define IRQ_TIMER  5           // its number in scause and its bit in sie and sip
#define IRQ_DEVICE 9

// A process.  boot.S knows the first three members; the registers have their numbers.
enum { SP = 2, A0 = 10, A7 = 17 };
enum state { FREE, READY, WAITING };

struct proc {
    u64        x[32];
    u64        pc;
    u64        kernel_sp; // while it runs: the kernel's registers, on the kernel's stack
    u64       *root;      // of its page tables
    u64        pid;
    enum state state; // WAITING: in the system call of x[A7], whose arguments are still in x
    char       name[NAME_SIZE];
};

// boot.S
void              proc_run(struct proc *p); // returns when the process traps
void              trap_entry(void);
_Noreturn void    hart_break(void);
extern const char image_start[], text_end[], rodata_end[], image_end[];
extern const char user_text[], user_text_end[], user_data[], user_data_end[];

// main.c
_Noreturn void kernel_main(u64 hart, const void *fdt);

// dt.c
extern char boot_args[LINE_SIZE];
extern u64  ticks_per_ms;
void        dt_read(const void *fdt);

// sbi.c
enum power { POWER_OFF, POWER_REBOOT, POWER_FAIL };
long           sbi_call(u64 extension, u64 function, u64 a0, u64 a1);
u64            clock_ms(void);
void           timer_set(u64 ms); // an interrupt then; ~0: none
_Noreturn void power(enum power how);

// console.c
void console_init(u64 hart);
void uart_put(char c);
int  console_take(void); // a character typed, or -1
void device_interrupt(void);

// page.c
#define USER     0x40000000ul // user/user.ld
#define USER_END 0x40200000ul
void  page_init(void);
u64  *space_make(void); // NULL: no memory left
void  space_drop(u64 *root);
void  space_enter(const u64 *root);
char *user_byte(const struct proc *p, u64 at, bool to_write); // NULL: not the process's own
bool  user_write(const struct proc *p, u64 to, const void *from, size_t bytes);

// proc.c
#define PROCS 8
extern struct proc procs[PROCS];
struct proc       *proc_spawn(const char *line); // NULL: no slot or no memory left
struct proc       *proc_find(u64 pid);           // NULL: no such process
struct proc       *proc_foreground(void);
struct proc       *proc_next(void);
void               proc_end(struct proc *p);
void               turn_end(void);

// trap.c
void           trap_handle(struct proc *p);
void           interrupt_handle(u64 cause);
_Noreturn void kernel_trap(u64 cause, u64 pc, u64 tval);

// syscall.c
void syscall_try(struct proc *p);

// mischief.c
long sys_mischief(struct proc *p, const u64 *a);

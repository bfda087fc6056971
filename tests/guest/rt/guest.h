// SPDX-License-Identifier: MIT
// What a guest is written with: it says GUEST(name) { ... } and prints what it observes.
//
// A guest prints only what the architecture, the SBI specification or the board determines: no
// times, no counter values, no versions.  What is between its two frame lines is its transcript;
// that of the bare machine and that of a virtual machine must be equal.
//
// There are two ways to look at a trap.  TRAPS(statement) arms the trap entry for one statement of
// the guest's own S-mode code: the trap is recorded in `trap` and the statement skipped.  cpu_run()
// runs code in U- or S-mode from a chosen register file until it traps, and shows all registers.
//
// With VERBOSE, detail() prints every case that otherwise only goes into a hash.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef uint8_t  u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#ifndef VERBOSE
#define VERBOSE 0
#endif

#define GUEST(name)                         \
    const char guest_name[] = #name;        \
    const bool guest_verbose = VERBOSE;     \
    void guest_main(void)

#define detail(...)                 \
    do {                            \
        if (guest_verbose)          \
            printf(__VA_ARGS__);    \
    } while (0)

extern const char guest_name[];
extern const bool guest_verbose;
void guest_main(void);
void guest_boot(void);

// As the first instructions found it.
struct boot_state {
    u64 hart;
    u64 fdt;
    u64 sstatus;
    u64 sie;
    u64 satp;
};

extern struct boot_state boot_state;

// CSRs.  The number is a constant: CSR names that the assembler may not know are numbers below.

#define csr_read(csr)                                                                       \
    ({                                                                                      \
        u64 value_;                                                                         \
        __asm__ volatile("csrr %0, %1" : "=r"(value_) : "i"(csr) : "memory");               \
        value_;                                                                             \
    })
#define csr_write(csr, value)                                                               \
    __asm__ volatile("csrw %0, %1" :: "i"(csr), "r"((u64)(value)) : "memory")
#define csr_set(csr, value)                                                                 \
    __asm__ volatile("csrs %0, %1" :: "i"(csr), "r"((u64)(value)) : "memory")
#define csr_clear(csr, value)                                                               \
    __asm__ volatile("csrc %0, %1" :: "i"(csr), "r"((u64)(value)) : "memory")
#define csr_swap(csr, value)                                                                \
    ({                                                                                      \
        u64 value_;                                                                         \
        __asm__ volatile("csrrw %0, %1, %2"                                                 \
                         : "=&r"(value_) : "i"(csr), "r"((u64)(value)) : "memory");         \
        value_;                                                                             \
    })

enum {
    CSR_FFLAGS = 0x001,
    CSR_FRM = 0x002,
    CSR_FCSR = 0x003,
    CSR_SSTATUS = 0x100,
    CSR_SIE = 0x104,
    CSR_STVEC = 0x105,
    CSR_SCOUNTEREN = 0x106,
    CSR_SENVCFG = 0x10a,
    CSR_SSCRATCH = 0x140,
    CSR_SEPC = 0x141,
    CSR_SCAUSE = 0x142,
    CSR_STVAL = 0x143,
    CSR_SIP = 0x144,
    CSR_STIMECMP = 0x14d,
    CSR_SATP = 0x180,
    CSR_CYCLE = 0xc00,
    CSR_TIME = 0xc01,
    CSR_INSTRET = 0xc02,
};

#define SSTATUS_SIE  (1ul << 1)
#define SSTATUS_SPIE (1ul << 5)
#define SSTATUS_UBE  (1ul << 6)
#define SSTATUS_SPP  (1ul << 8)
#define SSTATUS_VS   (3ul << 9)
#define SSTATUS_FS   (3ul << 13)
#define SSTATUS_SUM  (1ul << 18)
#define SSTATUS_MXR  (1ul << 19)
#define SSTATUS_UXL  (3ul << 32)
#define SSTATUS_SD   (1ul << 63)
#define FS_OFF       (0ul << 13)
#define FS_INITIAL   (1ul << 13)
#define FS_CLEAN     (2ul << 13)
#define FS_DIRTY     (3ul << 13)

#define INT_SSI (1ul << 1)
#define INT_STI (1ul << 5)
#define INT_SEI (1ul << 9)

#define CAUSE_INTERRUPT (1ul << 63)
#define CAUSE_NONE      (~0ul)          // a statement that did not trap

enum cause {
    CAUSE_FETCH_MISALIGNED = 0,
    CAUSE_FETCH_ACCESS = 1,
    CAUSE_ILLEGAL = 2,
    CAUSE_BREAKPOINT = 3,
    CAUSE_LOAD_MISALIGNED = 4,
    CAUSE_LOAD_ACCESS = 5,
    CAUSE_STORE_MISALIGNED = 6,
    CAUSE_STORE_ACCESS = 7,
    CAUSE_ECALL_U = 8,
    CAUSE_ECALL_S = 9,
    CAUSE_FETCH_PAGE = 12,
    CAUSE_LOAD_PAGE = 13,
    CAUSE_STORE_PAGE = 15,
};

// Traps of the guest's own code.

struct trap {
    u64 cause;
    u64 pc;
    u64 tval;
    u64 sstatus;
};

extern volatile struct trap trap;       // the last one that was armed for
extern volatile bool trap_armed;
extern volatile u64 trap_count;         // how many came while armed

// Interrupts of the guest's own code go here.  It must make the interrupt go away.
typedef void irq_hook(u64 cause);
extern irq_hook *volatile on_irq;

#define TRAPS(...)                      \
    ({                                  \
        trap.cause = CAUSE_NONE;        \
        trap.tval = 0;                  \
        trap_armed = true;              \
        __VA_ARGS__;                    \
        trap_armed = false;             \
        trap.cause;                     \
    })

void trap_entry(void);

// Runs of chosen code.

enum mode { MODE_U, MODE_S };

enum reg {
    ZERO, RA, SP, GP, TP, T0, T1, T2, S0, S1, A0, A1, A2, A3, A4, A5, A6, A7,
    S2, S3, S4, S5, S6, S7, S8, S9, S10, S11, T3, T4, T5, T6,
};

struct cpu {
    u64 x[32];          // x[0] stays as it is
    u64 pc;
    u64 sstatus;        // what sret starts from; afterwards, what the trap left
    u64 cause;
    u64 tval;
    u64 kernel[17];
};

void cpu_init(struct cpu *c, enum mode mode, u64 pc);   // x[n] = a mark of its own, SPIE = 0
void cpu_run(struct cpu *c);

// A page of its own for the instructions under test, in the section `.user`.  code_put() copies
// there, fences, and says where the code is for a guest without paging.
#define CODE_SIZE 4096

extern u8 code_page[CODE_SIZE];
u64 code_put(const u32 *insns, size_t count);
#define CODE(...) code_put((const u32[]){ __VA_ARGS__ }, sizeof (u32[]){ __VA_ARGS__ } / 4)

// Prints "cause 2 pc +4 tval 0x73": the pc from where the code is.
void cpu_print(const char *what, const struct cpu *c, u64 base);
void trap_print(const char *what);                      // the last armed trap: cause and tval
const char *cause_text(u64 cause);

// SBI.

struct sbi_ret {
    long error;
    u64  value;
};

enum {
    SBI_BASE = 0x10,
    SBI_TIME = 0x54494d45,
    SBI_IPI = 0x735049,
    SBI_RFENCE = 0x52464e43,
    SBI_HSM = 0x48534d,
    SBI_SRST = 0x53525354,
};

struct sbi_ret sbi_call6(u64 eid, u64 fid, const u64 args[6]);
#define sbi_call(eid, fid, ...) sbi_call6(eid, fid, (const u64[6]){ __VA_ARGS__ })

// Holds back what is printed, and lets it out.  The firmware's console is the board's UART: while a
// guest has that in a state of its own, nothing may be printed.
void console_hold(void);
void console_release(void);

void power_off(void) __attribute__((noreturn));
void guest_fail(const char *why) __attribute__((noreturn));

// Time.  The board's clock ticks ten million times a second.

#define TICKS_PER_MS 10000ul

static inline u64 time_now(void)
{
    return csr_read(CSR_TIME);
}

void timer_set(u64 deadline);           // ~0 is never
// Waits until the expression is true, but not longer; its value then.
#define wait_for(expr, ms)                                              \
    ({                                                                  \
        u64 until_ = time_now() + (ms) * TICKS_PER_MS;                  \
        while (!(expr) && time_now() < until_)                          \
            ;                                                           \
        (bool)(expr);                                                   \
    })

// Hashes (FNV-1a over the bytes of each number) and pseudo-random numbers (xorshift).

#define HASH_START 0xcbf29ce484222325ul

static inline u64 hash_add(u64 h, u64 value)
{
    for (int i = 0; i < 8; i++) {
        h = (h ^ (value & 0xff)) * 0x100000001b3ul;
        value >>= 8;
    }
    return h;
}

static inline u64 random_next(u64 *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed * 0x2545f4914f6cdd1dul;
}

static inline void fence_i(void)
{
    __asm__ volatile("fence.i" ::: "memory");
}

static inline void sfence_all(void)
{
    __asm__ volatile("sfence.vma" ::: "memory");
}

// Loads and stores that the compiler leaves alone.

#define PEEK(name, op)                                                                \
    static inline u64 name(u64 at)                                                          \
    {                                                                                       \
        u64 value = 0x5a5a5a5a5a5a5a5a;                                                     \
        __asm__ volatile(op " %0, (%1)" : "+&r"(value) : "r"(at) : "memory");               \
        return value;                                                                       \
    }
#define POKE(name, op)                                                                      \
    static inline void name(u64 at, u64 value)                                              \
    {                                                                                       \
        __asm__ volatile(op " %0, (%1)" :: "r"(value), "r"(at) : "memory");                 \
    }

PEEK(peek8, "lbu")
PEEK(peek16, "lhu")
PEEK(peek32, "lwu")
PEEK(peek64, "ld")
POKE(poke8, "sb")
POKE(poke16, "sh")
POKE(poke32, "sw")
POKE(poke64, "sd")

// SPDX-License-Identifier: MIT
// What one privileged operation costs, in instructions that the whole machine executes.
//
// In:     a hart that counts instructions: QEMU with -icount shift=0, where `instret` counts those
//         of whatever runs below this guest as well.
// Out:    a line "cost NAME ops N insns X" for each operation: X instructions for all N.
// Always: a loop's own two instructions, and what else an operation needs beside itself, are
//         measured by a second loop and taken off. So an operation that nobody below takes part in
//         costs 1, or as many instructions as it has.
#include "guest.h"

enum { OPS = 1000, REPEATS = 5 };

#define UART_LSR   0x10000005ul
#define SV39       (8ul << 60)
#define PTE_VALID  0x01ul
#define PTE_RWXAD  0xceul
#define PTE_GLOBAL 0x20ul

// A loop of `n` turns. The operation finds `arg` in a1, SPP in t1, the address of what comes after
// it in t2, the lowest bit of the ASID in t3, satp in t4; t0 is its own.
typedef void loop(u64 n, u64 arg);

#define LOOP(name, ...)                                                     \
    static void name(u64 n, u64 arg)                                        \
    {                                                                       \
        register u64 a1 __asm__("a1") = arg;                                \
                                                                            \
        __asm__ volatile("li t1, 1 << 8\n la t2, 2f\n"                      \
                         "li t3, 1 << 44\n csrr t4, satp\n"                 \
                         "1:\n" __VA_ARGS__ "\n2:\n"                        \
                         "addi %0, %0, -1\n bnez %0, 1b\n"                  \
                         : "+&r"(n) : "r"(a1)                               \
                         : "t0", "t1", "t2", "t3", "t4", "memory");         \
    }

LOOP(loop_empty,          "")
LOOP(loop_csrr_sscratch,  "csrr t0, sscratch")
LOOP(loop_csrw_sscratch,  "csrw sscratch, zero")
LOOP(loop_csrrw_sscratch, "csrrw t0, sscratch, zero")
LOOP(loop_csrrc_sstatus,  "csrrci t0, sstatus, 2")
LOOP(loop_csrr_sepc,      "csrr t0, sepc")
LOOP(loop_csrw_sepc,      "csrw sepc, t2")
LOOP(loop_rdtime,         "rdtime t0")
LOOP(loop_mmio_lsr,       "lbu t0, (a1)")
LOOP(loop_sfence_page,    "sfence.vma a1, zero")
LOOP(loop_touch,          "sfence.vma a1, zero\n ld t0, (a1)")
LOOP(loop_sfence_all,     "sfence.vma")
LOOP(loop_wfi,            "wfi")

// Two address spaces, turn by turn, that differ in nothing but their number.
LOOP(loop_xor,            "xor t4, t4, t3")
LOOP(loop_satp_switch,    "xor t4, t4, t3\n csrw satp, t4")

// sret needs SPP set and a way to go: t1 is SPP, t2 the instruction after it.
LOOP(loop_sret_beside,    "csrs sstatus, t1\n csrw sepc, t2")
LOOP(loop_sret,           "csrs sstatus, t1\n csrw sepc, t2\n sret")

// A load that faults; the trap handler goes on after it.
LOOP(loop_fault,          "ld t0, (a1)")

static void loop_sbi(u64 n, u64 extension)
{
    register u64 a6 __asm__("a6") = 0;
    register u64 a7 __asm__("a7") = extension;

    __asm__ volatile("1: li a0, -1\n ecall\n addi %0, %0, -1\n bnez %0, 1b"
                     : "+&r"(n) : "r"(a6), "r"(a7) : "a0", "a1", "memory");
}

static void loop_sbi_beside(u64 n, u64 extension)
{
    (void)extension;
    __asm__ volatile("1: li a0, -1\n addi %0, %0, -1\n bnez %0, 1b" : "+&r"(n) :: "a0");
}

// Trap handlers. They stand for a kernel's, and go on at t2.
__asm__(".balign 4\n"
        "go_on:      csrw sepc, t2\n"
        "            sret\n"
        ".balign 4\n"
        "user_trap:  bnez a1, user_done\n"
        "            csrw sepc, t2\n"
        "            sret\n"
        "user_done:  jr   t1\n");

extern const char go_on[], user_trap[];

// The loop runs in U-mode. Its last environment call, with a1 set, ends it.
static void loop_ecall(u64 n, u64 arg)
{
    register u64 a1 __asm__("a1") = arg;

    __asm__ volatile("la t2, 1f\n la t1, 3f\n csrw sepc, t2\n csrc sstatus, %2\n"
                     "la t2, 2f\n sret\n"
                     "1: ecall\n"
                     "2: addi %0, %0, -1\n bnez %0, 1b\n"
                     "li a1, 1\n ecall\n"
                     ".balign 4\n 3:\n"
                     : "+&r"(n), "+r"(a1) : "r"(SSTATUS_SPP) : "t0", "t1", "t2", "memory");
}

// Paging: all of RAM by 1 GiB pages, and one 4 KiB page to touch. Entry 4 stays without a page.
#define GIB        (1ul << 30)
#define RAM        0x80000000ul
#define TOUCHED    (3 * GIB)
#define UNMAPPED   (4 * GIB)

static u64 tables[3][512] __attribute__((aligned(4096)));
static u64 touched_page[512] __attribute__((aligned(4096)));

static u64 table_of(const u64 *next)
{
    return (u64)next >> 12 << 10 | PTE_VALID;
}

static void paging_prepare(void)
{
    tables[0][RAM / GIB] = RAM >> 12 << 10 | PTE_VALID | PTE_RWXAD | PTE_GLOBAL;
    tables[0][TOUCHED / GIB] = table_of(tables[1]);
    tables[1][0] = table_of(tables[2]);
    tables[2][0] = table_of(touched_page) | PTE_RWXAD;
}

enum setting { PLAIN, PAGED, WAKING };

static void setting_enter(enum setting s, const void *handler)
{
    csr_write(CSR_SATP, s == PAGED ? SV39 | (u64)tables[0] >> 12 : 0);
    sfence_all();
    csr_write(CSR_SIE, s == WAKING ? INT_SSI : 0);
    csr_write(CSR_SIP, s == WAKING ? INT_SSI : 0);
    csr_write(CSR_STVEC, handler);
}

// One operation: its loop, and the loop that does everything else that the loop does.
struct cost {
    const char  *name;
    loop        *with;
    loop        *without;
    u64          arg;
    enum setting setting;
    const void  *handler;
};

static const struct cost costs[] = {
    { "csrr_sscratch",  loop_csrr_sscratch,  loop_empty,       0,        PLAIN,  trap_entry },
    { "csrw_sscratch",  loop_csrw_sscratch,  loop_empty,       0,        PLAIN,  trap_entry },
    { "csrrw_sscratch", loop_csrrw_sscratch, loop_empty,       0,        PLAIN,  trap_entry },
    { "csrrc_sstatus",  loop_csrrc_sstatus,  loop_empty,       0,        PLAIN,  trap_entry },
    { "csrr_sepc",      loop_csrr_sepc,      loop_empty,       0,        PLAIN,  trap_entry },
    { "csrw_sepc",      loop_csrw_sepc,      loop_empty,       0,        PLAIN,  trap_entry },
    { "sret",           loop_sret,           loop_sret_beside, 0,        PLAIN,  trap_entry },
    { "ecall_sret",     loop_ecall,          loop_csrw_sepc,   0,        PLAIN,  user_trap  },
    { "page_fault",     loop_fault,          loop_csrw_sepc,   UNMAPPED, PAGED,  go_on      },
    { "fill_page",      loop_touch,          loop_sfence_page, TOUCHED,  PAGED,  trap_entry },
    { "sfence_page",    loop_sfence_page,    loop_empty,       TOUCHED,  PAGED,  trap_entry },
    { "sfence_all",     loop_sfence_all,     loop_empty,       0,        PAGED,  trap_entry },
    { "satp_switch",    loop_satp_switch,    loop_xor,         0,        PAGED,  trap_entry },
    { "sbi_base",       loop_sbi,            loop_sbi_beside,  SBI_BASE, PLAIN,  trap_entry },
    { "sbi_set_timer",  loop_sbi,            loop_sbi_beside,  SBI_TIME, PLAIN,  trap_entry },
    { "mmio_uart_lsr",  loop_mmio_lsr,       loop_empty,       UART_LSR, PLAIN,  trap_entry },
    { "rdtime",         loop_rdtime,         loop_empty,       0,        PLAIN,  trap_entry },
    { "wfi",            loop_wfi,            loop_empty,       0,        WAKING, trap_entry },
};

// The fewest instructions of several runs: a timer that strikes below costs only some of them.
static u64 loop_measure(loop *run, u64 arg)
{
    u64 least = ~0ul;

    for (int i = 0; i < REPEATS; i++) {
        u64 start = csr_read(CSR_INSTRET);

        run(OPS, arg);

        u64 took = csr_read(CSR_INSTRET) - start;

        if (took < least)
            least = took;
    }
    return least;
}

static void cost_print(const struct cost *c)
{
    u64 with, without;

    setting_enter(c->setting, c->handler);
    with = loop_measure(c->with, c->arg);
    without = loop_measure(c->without, c->arg);
    setting_enter(PLAIN, trap_entry);
    printf("cost %s ops %d insns %ld\n", c->name, OPS, (long)(with - without));
}

GUEST(trapcost)
{
    timer_set(~0ul);
    paging_prepare();
    for (size_t i = 0; i < sizeof costs / sizeof costs[0]; i++)
        cost_print(&costs[i]);
}

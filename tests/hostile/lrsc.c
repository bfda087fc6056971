// SPDX-License-Identifier: MIT
// LR and SC with what a monitor may do in between: emulated instructions, faults that it fills, a
// change of the page's mapping, a switch to the other VM and back.  An SC may fail whenever it
// likes; one that succeeds must find the word as LR saw it, and the page that LR saw.
// way=1 does nothing but SC, without LR, on the very word that others use: none may succeed.
// Shows: C5
#include "hostile.h"
#include "insn.h"

#define VA 0x1000000000ul

static u64 memory[2][PAGE / 8] __attribute__((aligned(PAGE)));
static u64 lies, won, lost;

// The slot's page is changed between LR and SC; the SC is on another page, then.
static void remapped(struct space *s)
{
    u64 failed;

    memory[0][0] = memory[1][0] = 5;
    space_map(s, VA, (u64)memory[0], PTE_KERNEL, 0);
    sfence_va(VA);
    peek64(VA);
    __asm__ volatile("lr.d t0, (%1)\n sd %2, (%3)\n sfence.vma %1, zero\n sc.d %0, %4, (%1)"
                     : "=&r"(failed)
                     : "r"(VA), "r"(pte_make((u64)memory[1], PTE_KERNEL)),
                       "r"(space_slot(s, VA, 0)), "r"(6ul)
                     : "t0", "memory");
    lies += !failed;
    lies += memory[0][0] != 5 || memory[1][0] != (failed ? 5 : 6);
    failed ? lost++ : won++;
}

#define BETWEEN(name, ...)                                                                         \
    static void name(u64 *word)                                                                    \
    {                                                                                              \
        u64 failed, seen;                                                                          \
        *word = 7;                                                                                 \
        __asm__ volatile("lr.d %1, (%2)\n " __VA_ARGS__ "\n sc.d %0, %3, (%2)"                     \
                         : "=&r"(failed), "=&r"(seen)                                              \
                         : "r"(word), "r"(8ul)                                                     \
                         : "t0", "t1", "t2", "a0", "a1", "a6", "a7", "memory");                    \
        lies += seen != 7 || *word != (failed ? 7 : 8);                                            \
        failed ? lost++ : won++;                                                                   \
    }

// clang-format off
BETWEEN(between_csr,     "csrr t0, sscratch\n csrw sscratch, t0")
BETWEEN(between_status,  "csrsi sstatus, 2\n csrci sstatus, 2")
BETWEEN(between_call,    "li a7, 0x10\n li a6, 0\n ecall")
BETWEEN(between_store,   "sd zero, 512(%2)")
BETWEEN(between_device,  "li t0, 0x10000007\n lbu t1, (t0)")
BETWEEN(between_fence,   "sfence.vma")
BETWEEN(between_turns,   "li t0, 3000000\n 1: addi t0, t0, -1\n bnez t0, 1b")
BETWEEN(between_nothing, "nop")
// clang-format on

// A lock between this code and its own interrupt handler, which takes it by LR and SC, too.
static volatile u64 counter, taken;

static void add_one(void)
{
    __asm__ volatile("1: lr.d t0, (%0)\n addi t0, t0, 1\n sc.d t1, t0, (%0)\n bnez t1, 1b"
                     :: "r"(&counter) : "t0", "t1", "memory");
}

static void on_interrupt(u64 cause)
{
    (void)cause;
    add_one();
    taken++;
    timer_set(time_now() + 30);
}

static void under_interrupts(void)
{
    const u64 n = 20000;

    counter = taken = 0;
    timer_set(time_now() + 30);
    csr_write(CSR_SIE, INT_STI);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    for (u64 i = 0; i < n; i++)
        add_one();
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    csr_write(CSR_SIE, 0);
    lies += counter != n + taken;
}

// The word is at the same address, and has the same value, as in between_turns() of another VM.
static void thieve(void)
{
    for (u64 round = 1;; round++) {
        for (u64 i = 0; i < 1000000; i++) {
            u64 failed;

            memory[0][0] = 7;
            __asm__ volatile("sc.d %0, %2, (%1)" : "=&r"(failed) : "r"(memory[0]), "r"(8ul) : "memory");
            lies += !failed;
        }
        if (lies)
            say("BAD %lu stolen", lies);
        say("round %lu stolen=%lu", round, lies);
    }
}

GUEST(lrsc)
{
    struct space s;

    if (arg("way", 0))
        thieve();

    on_irq = on_interrupt;
    for (u64 round = 1;; round++) {
        pages_reset();
        space_make(&s, 3);
        space_map(&s, UART, UART, PTE_KERNEL, 0);
        space_enter(&s, 1);
        for (int i = 0; i < 200; i++) {
            remapped(&s);
            between_csr(memory[0]);
            between_status(memory[0]);
            between_call(memory[0]);
            between_store(memory[0]);
            between_device(memory[0]);
            between_fence(memory[0]);
            between_nothing(memory[0]);
        }
        between_turns(memory[0]);
        under_interrupts();
        space_leave();
        if (lies)
            say("BAD %lu lies", lies);
        say("round %lu won=%lu lost=%lu taken=%lu", round, won, lost, taken);
    }
}

// SPDX-License-Identifier: MIT
// The page that an instruction stands on vanishes, or changes, before the monitor can look at it:
// the entry is cleared, made a user's, not executable, or leads elsewhere, without a fence; the
// instruction is rewritten without fence.i.  A hart does either the old thing or the new one, or
// faults on the fetch; it is never stuck, and the monitor never trips.
// Shows: D7 P11
#include "hostile.h"
#include "insn.h"

#define VA   0x1000000000ul
#define DATA 0x1040000000ul

static u32 pages[2][PAGE / 4] __attribute__((aligned(PAGE)));
static u64 stuck, done, faults;

// Runs the access at VA after the entry for VA has become `entry`.
static u64 attempt_once(struct space *s, u64 entry, u64 data)
{
    struct cpu c;

    space_map(s, VA, (u64)pages[0], PTE_KERNEL, 0);
    space_map(s, DATA, data, PTE_KERNEL, 0);
    sfence_all();
    cpu_init(&c, MODE_S, VA + 4);                       // the page is in the TLB now
    cpu_run(&c);
    *space_slot(s, VA, 0) = entry;
    cpu_init(&c, MODE_S, VA);
    c.x[A1] = DATA;
    c.sstatus |= SSTATUS_SPIE;
    timer_set(time_now() + TICKS_PER_MS);
    csr_write(CSR_SIE, INT_STI);
    cpu_run(&c);
    csr_write(CSR_SIE, 0);
    return c.cause;
}

// A timer ends what is stuck.  It may also come because another VM had the hart, but not each time.
static void attempt(struct space *s, u64 entry, u64 data)
{
    u64 cause = CAUSE_INTERRUPT;

    for (int i = 0; i < 4 && cause & CAUSE_INTERRUPT; i++)
        cause = attempt_once(s, entry, data);
    stuck += !!(cause & CAUSE_INTERRUPT);
    done += cause == CAUSE_BREAKPOINT;
    faults += cause != CAUSE_BREAKPOINT;
}

// The instruction is replaced by a store, right before it runs.
static void rewritten(u32 by)
{
    struct cpu c;
    u64        base = CODE(0x00062023, 0x0005c503, INSN_EBREAK); // sw zero, (a2); lbu a0, (a1)

    cpu_init(&c, MODE_S, base);
    c.x[A1] = UART + UART_SCR;
    c.x[A2] = SPARE;
    cpu_run(&c);
    c.pc    = base + 4;
    ((u32 *)code_page)[1] = by;
    cpu_run(&c);
    done++;
}

GUEST(vanish)
{
    static const u32 by[] = { 0x00a58023, 0x00a5b023, 0x00a5a52f, 0x0000, 0x8082, 0x100027f3,
                                INSN_EBREAK };
    const u64        codes[] = { 0x0005c503, INSN_EBREAK };
    struct space     s;

    for (int i = 0; i < 2; i++) {
        pages[i][0] = (u32)codes[0];                    // lbu a0, (a1)
        pages[i][1] = INSN_EBREAK;
    }
    fence_i();
    for (u64 round = 1;; round++) {
        pages_reset();
        space_make(&s, 3);
        space_enter(&s, 1);
        for (u64 flags = 0; flags < 256; flags += 3) {
            attempt(&s, pte_make((u64)pages[0], flags), UART);
            attempt(&s, pte_make((u64)pages[1], flags), RTC);
            attempt(&s, pte_make(PLIC, flags), UART);
            attempt(&s, pte_make(0x40000000, flags), 0x40000000);
        }
        space_leave();
        for (size_t i = 0; i < ARRAY_LEN(by); i++)
            rewritten(by[i]);
        if (stuck)
            say("BAD stuck %lu times", stuck);
        say("round %lu done=%lu faults=%lu", round, done, faults);
    }
}

// SPDX-License-Identifier: MIT
// One of several virtual machines on the same harts: what it does is said by its command line, and
// what it saw is said at the end.
//
// In:     <role>=1 (see `roles`), me=<number in each line>, and what the role asks for; exact=1
//         where instret counts nanoseconds, one for each instruction (QEMU's -icount shift=0).
// Out:    lines "company: <me> <what> <numbers>", by the SBI call that every firmware has, so that the
//         bare board can be asked as well.
// Always: it does not end: who has told his numbers goes on wanting the hart, so that the shares of
//         the others stay what they are.
#include "hostile.h"

enum { SAMPLES_MAX = 4096, SAMPLES_PER_LINE = 10, NS_PER_TICK = 100 };

static u64 me;
static u64 samples[SAMPLES_MAX];

// A clock with one step for each instruction; or, where there is none, the board's.
static inline u64 clock_read(bool exact)
{
    return exact ? csr_read(CSR_INSTRET) : time_now();
}

static void sleep_until(u64 deadline)
{
    timer_set(deadline);
    csr_write(CSR_SIE, INT_STI);
    __asm__ volatile("wfi");
}

// Without a system call: those that share the hart shall see a guest that computes.
static void spin_until(u64 time)
{
    while (time_now() < time)
        for (int i = 0; i < 100; i++)
            __asm__ volatile("");
}

static void spin(void)
{
    for (;;)
        __asm__ volatile("");
}

static void begin_wait(void)
{
    timer_set(~0ul);
    spin_until(arg("from", 0) * TICKS_PER_MS);
}

static void samples_tell(const char *what, u64 n)
{
    char text[160];

    for (u64 i = 0; i < n; i += SAMPLES_PER_LINE) {
        int len = 0;

        for (u64 k = i; k < n && k < i + SAMPLES_PER_LINE; k++)
            len += snprintf(text + len, sizeof text - (size_t)len, " %lu", samples[k]);
        printf("company: %lu %s%s\n", me, what, text);
    }
    printf("company: %lu told\n", me);
}

// --- shares --------------------------------------------------------------------------------------

// How far it comes from one moment to another: from= until= in ms since the board's start.
static void count(void)
{
    u64 turns = 0, until = arg("until", 0) * TICKS_PER_MS;

    begin_wait();
    printf("company: %lu begins\n", me);
    for (; time_now() < until; turns++)
        for (int i = 0; i < 1000; i++)
            __asm__ volatile("");
    printf("company: %lu turns %lu\n", me, turns);
    spin();
}

// How long a piece of work takes: turns= of a loop.
static void work(void)
{
    u64 n = arg("turns", 1000), start;

    begin_wait();
    start = time_now();
    for (u64 i = 0; i < n; i++)
        __asm__ volatile("");
    printf("company: %lu ticks %lu\n", me, time_now() - start);
    spin();
}

// --- switches ------------------------------------------------------------------------------------

// Each gap in its own time, as two samples: its last moment before somebody else ran, and its first
// one after, if they are so far apart as least= says.  With nap= in microseconds it sleeps so long,
// again and again.
static void gaps(void)
{
    bool exact = arg("exact", 0);
    u64  n = 2 * arg("samples", 100), nap = arg("nap", 0) * 10;
    u64  least = arg("least", exact ? 200 : 30), last, now;

    begin_wait();
    last = clock_read(exact);
    for (u64 i = 0; i < n; last = now) {
        if (nap) {
            timer_set(time_now() + nap);
            csr_write(CSR_SIE, INT_STI);
            last = clock_read(exact);
            __asm__ volatile("wfi");
        }
        now = clock_read(exact);
        if (now - last > least) {
            samples[i++] = last;
            samples[i++] = now;
        }
    }
    samples_tell("gaps", n);
    spin();
}

// --- latencies -----------------------------------------------------------------------------------

// How late it is after a moment of the board's clock, in ns.  That clock has steps of 100 ns; so the
// next one is waited for, and the wait counted in instructions.
static u64 late_since(u64 deadline, bool exact)
{
    u64 begin = csr_read(CSR_INSTRET), time = time_now(), next, end;

    do
        next = time_now();
    while (exact && next == time);
    end = csr_read(CSR_INSTRET);
    return (next - deadline) * NS_PER_TICK - (exact ? end - begin : 0);
}

static void wake(void)
{
    bool exact = arg("exact", 0);
    u64  n = arg("samples", 100), seed = 88172645463325252ul;

    begin_wait();
    for (u64 i = 0; i < n; i++) {
        u64 deadline = time_now() + TICKS_PER_MS / 2 + any_below(5 * TICKS_PER_MS, &seed);

        sleep_until(deadline);
        samples[i] = late_since(deadline, exact);
    }
    samples_tell("late", n);
    spin();
}

// From the SBI call that sends an IPI to the first instruction of the trap vector, twice the same
// but for the clock.
#define IPI_ONCE(name, clock)                                                                \
    static u64 name(void)                                                                    \
    {                                                                                        \
        register u64 a0 __asm__("a0") = 1ul << boot_state.hart, a1 __asm__("a1") = 0;        \
        register u64 a6 __asm__("a6") = 0, a7 __asm__("a7") = SBI_IPI;                       \
        u64          from, to;                                                               \
                                                                                             \
        __asm__ volatile("la %1, 2f\n csrw stvec, %1\n csrsi sstatus, 2\n"                   \
                         "rd" clock " %0\n ecall\n 1: j 1b\n"                                \
                         ".balign 4\n 2: rd" clock " %1\n csrci sip, 2"                      \
                         : "=&r"(from), "=&r"(to), "+r"(a0), "+r"(a1) : "r"(a6), "r"(a7)      \
                         : "memory");                                                        \
        return to - from;                                                                    \
    }

IPI_ONCE(ipi_insns, "instret")
IPI_ONCE(ipi_ticks, "time")

static void ipi(void)
{
    bool exact = arg("exact", 0);
    u64  n = arg("samples", 100), seed = 88172645463325252ul;

    begin_wait();
    for (u64 i = 0; i < n; i++) {
        spin_until(time_now() + any_below(TICKS_PER_MS, &seed));
        csr_write(CSR_SIE, INT_SSI);
        samples[i] = exact ? ipi_insns() : ipi_ticks() * NS_PER_TICK;
    }
    csr_write(CSR_SIE, 0);
    csr_write(CSR_STVEC, trap_entry);
    samples_tell("late", n);
    spin();
}

// --- company: those whom nobody asks -------------------------------------------------------------

static void idle(void)
{
    timer_set(~0ul);
    rest();
}

// As a kernel's periodic tick: hz= times a second.
static void tick(void)
{
    u64 step = 1000 * TICKS_PER_MS / arg("hz", 250);

    for (u64 next = time_now() + step;; next += step)
        sleep_until(next);
}

static void calls(void)
{
    for (;;)
        sbi_call(SBI_BASE, 0, 0);
}

static void on_timer(u64 cause)
{
    (void)cause;
    timer_set(time_now() + 1);
}

static void timers(void)
{
    on_irq = on_timer;
    timer_set(0);
    csr_write(CSR_SIE, INT_STI);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    spin();
}

static void traps(void)
{
    for (;;)
        TRAPS(__asm__ volatile(".word 0"));
}

// clang-format off
static const struct {
    const char *name;
    void      (*run)(void);
} roles[] = {
    { "count", count }, { "work",   work   }, { "gaps",  gaps  }, { "wake", wake }, { "ipi",  ipi  },
    { "calls", calls }, { "timers", timers }, { "traps", traps }, { "spin", spin }, { "idle", idle },
    { "tick",  tick  },
};
// clang-format on

GUEST(company)
{
    me = arg("me", 0);
    for (size_t i = 0; i < ARRAY_LEN(roles); i++)
        if (arg(roles[i].name, 0))
            roles[i].run();
    guest_fail("no role");
}

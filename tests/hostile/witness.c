// SPDX-License-Identifier: MIT
// The witness: an honest guest beside an attacker.  It must not notice that it has company, but
// for its share of the hart.
//
// It keeps a pattern in its RAM, which it reads through its own page tables, checks word by word
// and writes anew; it keeps values in all floating-point registers; it takes a timer interrupt
// each millisecond.  In a tight loop it reads the time: the longest gap between two turns is its
// stall.  What the command line says: lines=<how many> ms=<how long each takes> seed=<of the
// pattern>, wait=<ms after which an interrupt that did not come is lost>, and stay=1 if it shall not
// power off at the end.
//
// Each line:   witness: <n> ok stall_us=<n> late_us=<n> share=<percent> ticks=<n>
// At the end:  witness: done ok ...       (or BAD, with what was wrong)
// Shows: O2 C6 C10 P9
#include "fp.h"
#include "hostile.h"

#define WORDS   (MIB / 8)
#define VA      0x200000000ul
#define TICK    TICKS_PER_MS
#define STALLED (2 * TICKS_PER_MS / 10) // a longer gap means that somebody else had the hart

static u64 memory[WORDS] __attribute__((aligned(PAGE)));

// What the handler of the timer's interrupt keeps.
static volatile u64 tick_at, ticks, late;

// What one line tells, in ticks of the clock.
struct watch {
    u64 stall, late, ran, took, ticks;
    u64 bad_words, bad_fp, back_in_time;
};

static void on_tick(u64 cause)
{
    u64 now = time_now();

    if (cause != (CAUSE_INTERRUPT | 5))
        guest_fail("an interrupt that nobody asked for");
    if (now < tick_at)
        guest_fail("a timer interrupt before its time");
    late = now - tick_at > late ? now - tick_at : late;
    ticks++;
    tick_at = now + TICK;
    timer_set(tick_at);
}

static u64 word(u64 seed, u64 i)
{
    return (seed + i) * 0x9e3779b97f4a7c15ul ^ i << 32;
}

// A word of the pattern: is it what the last turn left?  Now it is this turn's.
static bool word_turn(u64 seed, u64 n)
{
    volatile u64 *at   = (u64 *)VA + n % WORDS;
    u64           turn = n / WORDS, was = *at;

    *at = word(seed + turn + 1, n % WORDS);
    return was == word(seed + turn, n % WORDS);
}

static void fp_fill(struct fp *f, u64 seed)
{
    for (u64 i = 0; i < 32; i++)
        f->f[i] = word(seed, i);
    f->fcsr = 0x60 | (seed & 0x1f);
}

// Only one VM has floating point; in the others FS stays Off.
static bool has_fp(void)
{
    fs_set(FS_DIRTY);
    return fs_get() & SSTATUS_FS;
}

static u64 fp_changes(const struct fp *f)
{
    struct fp g;
    u64       n = 0;

    fs_set(FS_DIRTY);
    fp_store(&g);
    for (int i = 0; i < 32; i++)
        n += f->f[i] != g.f[i];
    return n + (f->fcsr != g.fcsr);
}

// For a while, and longer if its first interrupt is late; FS is Dirty or Clean: the registers are
// the guest's in either case.
static void watch(struct watch *w, u64 seed, u64 *n, u64 while_ticks, u64 wait_ticks, u64 fs)
{
    u64       start = time_now(), last = start, now = start;
    bool      fp = has_fp();
    struct fp f;

    *w   = (struct watch){ 0 };
    late = ticks = 0;
    tick_at      = start + TICK;
    fp_fill(&f, seed + *n);
    if (fp)
        fp_load(&f);
    fs_set(fs);
    timer_set(tick_at);
    csr_write(CSR_SIE, INT_STI);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    for (; now - start < while_ticks || (!ticks && now - start < wait_ticks); last = now) {
        w->bad_words += !word_turn(seed, (*n)++);
        now = time_now();
        if (now < last)
            w->back_in_time++;
        else if (now - last < STALLED)
            w->ran += now - last;
        w->stall = now - last > w->stall ? now - last : w->stall;
    }
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    timer_set(~0ul);
    w->bad_fp = fp ? fp_changes(&f) : 0;
    w->late   = late;
    w->ticks  = ticks;
    w->took   = now - start;
}

static bool is_bad(const struct watch *w)
{
    return w->bad_words || w->bad_fp || w->back_in_time || !w->ticks;
}

static void tell(const char *what, const struct watch *w)
{
    if (is_bad(w))
        say("%s BAD words=%lu fp=%lu back=%lu ticks=%lu", what, w->bad_words, w->bad_fp,
            w->back_in_time, w->ticks);
    else
        say("%s ok stall_us=%lu late_us=%lu share=%lu ticks=%lu", what, w->stall / 10, w->late / 10,
            100 * w->ran / w->took, w->ticks);
}

static void sum_up(struct watch *all, const struct watch *w)
{
    all->stall = w->stall > all->stall ? w->stall : all->stall;
    all->late  = w->late > all->late ? w->late : all->late;
    all->ran += w->ran;
    all->took += w->took;
    all->ticks += w->ticks;
    all->bad_words += w->bad_words;
    all->bad_fp += w->bad_fp;
    all->back_in_time += w->back_in_time;
}

GUEST(witness)
{
    u64          lines = arg("lines", 10), ms = arg("ms", 20), seed = arg("seed", 1), n = 0;
    u64          wait = arg("wait", ms);
    struct watch all = { 0 }, w;
    struct space s;
    char         line[24];

    pages_reset();
    space_make(&s, 3);
    for (u64 at = 0; at < sizeof memory; at += PAGE)
        space_map(&s, VA + at, (u64)memory + at, PTE_KERNEL, 0);
    for (u64 i = 0; i < WORDS; i++)
        memory[i] = word(seed, i);
    on_irq = on_tick;
    space_enter(&s, 1);
    say("begins, %s floating point", has_fp() ? "with" : "without");
    for (u64 i = 0; i < lines; i++) {
        watch(&w, seed, &n, ms * TICKS_PER_MS, wait * TICKS_PER_MS, i % 2 ? FS_CLEAN : FS_DIRTY);
        sum_up(&all, &w);
        snprintf(line, sizeof line, "%lu", i);
        tell(line, &w);
    }
    tell("done", &all);
    while (arg("stay", 0))
        ;
}

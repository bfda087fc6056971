// SPDX-License-Identifier: MIT
// Asks to be told of stolen time (SBI 2.0, 16) and holds it against its own clock: the time that
// passes without it is what the monitor must say; in between it names odd places, moves the place,
// writes there, and has it switched off.  In foreign memory and beside the place nothing may change.
// loose=1 the computer below may withhold harts as well.
// Shows: S1 S4
#include "hostile.h"

#define SBI_STA 0x535441
#define NS      (1000000000 / (1000 * TICKS_PER_MS))
#define GAP     (TICKS_PER_MS / 2)

struct shared {
    volatile u32 sequence, flags;
    volatile u64 steal_ns;
    volatile u8  preempted, pad[47];
};

static struct shared *const places = (struct shared *)SPARE;

static u64 bad;

#define expect(is) expect_at(__LINE__, is)

static void expect_at(u64 line, int is)
{
    bad = is ? bad : line;
}

static long place_at(const struct shared *s)
{
    return sbi_call(SBI_STA, 0, (u64)s, 0, 0).error;
}

static u64 steal_of(const struct shared *s)
{
    u32 before;
    u64 ns;

    do {
        before = s->sequence;
        ns     = s->steal_ns;
    } while (before % 2 || before != s->sequence);
    expect(!s->preempted && !s->flags);
    return ns;
}

// What has passed without this guest since it was asked last.
static u64 last_time, gaps;

static u64 look(void)
{
    u64 now = time_now();

    gaps += now - last_time > GAP ? now - last_time : 0;
    return last_time = now;
}

static void look_for(u64 ticks)
{
    u64 end = last_time + ticks;

    while (look() < end) // QEMU is slow at telling the time: not too often
        for (int i = 0; i < 1000; i++)
            __asm__ volatile("");
}

static void refusals(void)
{
    expect(sbi_call(SBI_STA, 0, (u64)places, 0, 1).error == -3);
    expect(sbi_call(SBI_STA, 0, (u64)places + 8, 0, 0).error == -3);
    expect(sbi_call(SBI_STA, 0, (u64)places, 1, 0).error == -5);
    expect(sbi_call(SBI_STA, 0, RAM - 64, 0, 0).error == -5);
    expect(sbi_call(SBI_STA, 0, 0x10000000, 0, 0).error == -5);
    expect(sbi_call(SBI_STA, 0, ~63ul, 0, 0).error == -5);
    expect(sbi_call(SBI_STA, 1, (u64)places, 0, 0).error == -2);
}

GUEST(steal)
{
    u64 *mark = (u64 *)SPARE, told, was, missed, loose = arg("loose", 0);

    expect(sbi_call(SBI_BASE, 3, SBI_STA).value);
    for (u64 round = 1;; round++) {
        struct shared *s = &places[1 + round % 3];

        for (int i = 0; i < 5 * 8; i++)
            mark[i] = ~0ul;
        expect(!place_at(s));
        refusals();
        last_time = time_now();
        gaps      = 0;
        was       = steal_of(s);
        look_for(60 * TICKS_PER_MS);
        told = steal_of(s) - was;
        look();
        missed = gaps * NS;
        expect(told <= missed + missed / 20 + 6000000);
        expect(loose || missed <= told + told / 20 + 6000000);
        s->sequence = 77; // it confuses itself, and nobody else
        s->steal_ns = 0;
        expect(!sbi_call(SBI_STA, 0, ~0ul, ~0ul, 0).error);
        was = s->steal_ns;
        look_for(10 * TICKS_PER_MS);
        expect(s->steal_ns == was);
        for (int i = 0; i < 5 * 8; i++)
            expect(mark[i] == ~0ul || (void *)&mark[i] >= (void *)s);
        for (u64 *at = (u64 *)(s + 1); at < mark + 5 * 8; at++)
            expect(*at == ~0ul);
        if (bad)
            say("BAD line %lu: told %lu ns, missed %lu", bad, told, missed);
        say("round %lu told_ms=%lu missed_ms=%lu", round, told / 1000000, missed / 1000000);
    }
}

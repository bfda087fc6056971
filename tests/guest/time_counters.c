// SPDX-License-Identifier: MIT
// Counters and clock: none runs backwards, all move, across traps, SBI calls, user mode and sleep.
// Shows: C10
#include "insn.h"

static u64 last_time, last_cycle, last_instret, backwards;

static void look(void)
{
    u64 time = csr_read(CSR_TIME), cycle = csr_read(CSR_CYCLE), instret = csr_read(CSR_INSTRET);

    backwards += time < last_time || cycle <= last_cycle || instret <= last_instret;
    last_time = time;
    last_cycle = cycle;
    last_instret = instret;
}

static u64 user_time(void)
{
    struct cpu c;
    u64        base = CODE(insn_csr(CSRRS, A0, CSR_TIME, ZERO), INSN_EBREAK);

    cpu_init(&c, MODE_U, base);
    cpu_run(&c);
    return c.x[A0];
}

GUEST(time_counters)
{
    u64 start, before;

    csr_write(CSR_SCOUNTEREN, 7);
    for (int i = 0; i < 5000; i++)
        look();
    printf("straight on: %lu backwards\n", backwards);
    for (int i = 0; i < 500; i++) {
        TRAPS(__asm__ volatile("ebreak"));
        look();
        sbi_call(SBI_BASE, 0, 0);
        look();
        csr_write(CSR_SCOUNTEREN, 7);
        look();
    }
    printf("traps and calls: %lu backwards\n", backwards);

    backwards = 0;
    for (int i = 0; i < 500; i++) {
        before = time_now();
        start = user_time();
        backwards += start < before || time_now() < start;
    }
    printf("user mode: %lu backwards\n", backwards);

    start = time_now();
    printf("time moves: %s\n", wait_for(time_now() > start + 1000, 1000ul) ? "ok" : "bad");

    csr_write(CSR_SIE, INT_STI);
    start = time_now();
    timer_set(start + 2 * TICKS_PER_MS);
    while (!(csr_read(CSR_SIP) & INT_STI))
        __asm__ volatile("wfi");
    printf("time moves in sleep: %s\n", time_now() >= start + 2 * TICKS_PER_MS ? "ok" : "bad");
    timer_set(~0ul);
}

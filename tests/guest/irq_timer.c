// SPDX-License-Identifier: MIT
// The timer, set by SBI: at once for 0 and for the past, in its time for the near future, never for
// what is far away; a new deadline takes the pending one back.
// Shows: C8
#include "guest.h"

static volatile u64 ticks, early;
static volatile u64 deadline;

static void on_sti(u64 cause)
{
    (void)cause;
    early += time_now() < deadline;
    ticks++;
    deadline = ticks < 50 ? time_now() + TICKS_PER_MS / 10 : ~0ul;
    timer_set(deadline);
}

static void deadline_try(const char *what, u64 value)
{
    bool now;

    timer_set(value);
    now = csr_read(CSR_SIP) & INT_STI;
    printf("%s: %s\n", what, now ? "pending at once"
           : wait_for(csr_read(CSR_SIP) & INT_STI, 5ul) ? "pending later" : "not pending");
}

// In the near future: by the time it is seen to pend, it must be due.
static void soon_try(u64 ticks_ahead)
{
    u64  when = time_now() + ticks_ahead;
    bool pending, late_enough;

    timer_set(when);
    pending = wait_for(csr_read(CSR_SIP) & INT_STI, 1000ul);
    late_enough = time_now() >= when;
    timer_set(~0ul);
    printf("in %lu us: %s, %s\n", ticks_ahead / 10, pending ? "pending" : "not pending",
           late_enough ? "not early" : "early");
}

GUEST(irq_timer)
{
    deadline_try("never", ~0ul);
    deadline_try("0", 0);
    deadline_try("never again", ~0ul);
    deadline_try("1", 1);
    deadline_try("a while ago", time_now() - 1000);
    deadline_try("now", time_now());
    for (u64 ticks_ahead = 10; ticks_ahead <= 100000; ticks_ahead *= 10)
        soon_try(ticks_ahead);
    deadline_try("in 1000 s", time_now() + 1000000 * TICKS_PER_MS);
    deadline_try("2^62", 1ul << 62);
    deadline_try("2^63 - 1", (1ul << 63) - 1);
    deadline_try("2^63", 1ul << 63);
    deadline_try("2^64 - 2", ~0ul - 1);
    deadline_try("never", ~0ul);

    on_irq = on_sti;
    csr_set(CSR_SIE, INT_STI);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    deadline = time_now() + TICKS_PER_MS / 10;
    timer_set(deadline);
    wait_for(ticks == 50, 2000ul);
    wait_for(false, 2ul);
    printf("periodic: %lu ticks, %lu early\n", ticks, early);
}

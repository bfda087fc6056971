// SPDX-License-Identifier: MIT
// Interrupts of four kinds at once: of a disk with sixteen requests under way, the timer, IPIs to
// itself, and bytes that the UART receives.  Each is made only when the one before was taken, so
// that none may be lost or come twice, and none may take a second.  Command line: requests=<n>, how
// many make a round; patience_ms=<n> where time is a busy host's; seed=<n>.
// Shows: D10
#include "hostile.h"
#include "virtio.h"

#define AT_ONCE 16
#define SPAN    1024 // sectors that it reads

enum { TIMER, IPI, BYTE, REQUEST, KINDS = REQUEST + AT_ONCE };

static struct event {
    bool waits; // made, and not taken yet
    u64  since, made, taken;
} events[KINDS];

static const char *const names[] = { "timer", "IPI", "byte", "request" };

static u8  data[AT_ONCE][SECTOR];
static u64 seed, slowest;
static u16 seen;
static u8  byte;

static const char *name_of(u32 kind)
{
    return names[kind < REQUEST ? kind : REQUEST];
}

static void took(u32 kind)
{
    struct event *e   = &events[kind];
    u64           age = time_now() - e->since;

    if (!e->waits)
        say("BAD %s %u comes twice", name_of(kind), kind);
    e->waits = false;
    e->taken++;
    slowest = age > slowest ? age : slowest;
}

// All that the disk has given back since.
static void disk_take(void)
{
    disk_put(VIRTIO_ACK, disk_get(VIRTIO_INTERRUPTS));
    while (seen != rings.used.index) {
        u32 head, len;

        asm volatile("fence r, r" ::: "memory");
        head = rings.used.ring[seen % QUEUE_SIZE].head;
        len  = rings.used.ring[seen % QUEUE_SIZE].len;

        seen++;
        if (head % 3 || head / 3 >= AT_ONCE || disk_status[head / 3] || len != SECTOR + 1)
            say("BAD request: head %u, length %u", head, len);
        else
            took(REQUEST + head / 3);
    }
}

static void byte_take(void)
{
    while (peek8(UART + UART_LSR) & 1) {
        if (peek8(UART + UART_RBR) != byte)
            say("BAD byte");
        took(BYTE);
    }
}

static void on_event(u64 cause)
{
    u32 id;

    switch (cause & ~CAUSE_INTERRUPT) {
    case 1:
        csr_clear(CSR_SIP, INT_SSI);
        took(IPI);
        break;
    case 5:
        timer_set(~0ul);
        took(TIMER);
        break;
    case 9:
        id = plic_claim();
        if (id == IRQ_DISK)
            disk_take();
        if (id == IRQ_UART)
            byte_take();
        plic_complete(id);
        break;
    }
}

static bool may_make(u32 kind)
{
    struct event *e = &events[kind];

    if (e->waits && time_now() - e->since > disk_patience_ms * 10000) {
        say("BAD %s %u is not there after %lu ms", name_of(kind), kind, disk_patience_ms);
        rest();
    }
    if (e->waits)
        return false;
    e->waits = true;
    e->since = time_now();
    e->made++;
    return true;
}

// Interrupts are off.
static void events_make(void)
{
    bool kick = false;

    if (may_make(TIMER))
        timer_set(time_now() + any_below(500, &seed));
    if (may_make(IPI))
        sbi_call(SBI_IPI, 0, 1, 0);
    if (may_make(BYTE))
        poke8(UART + UART_THR, ++byte);
    for (u16 n = 0; n < AT_ONCE; n++)
        if (may_make(REQUEST + n)) {
            disk_describe(n, T_IN, any_below(SPAN, &seed), data[n], SECTOR);
            disk_offer((u16)(3 * n));
            kick = true;
        }
    if (kick)
        disk_kick();
}

static u64 requests_taken(void)
{
    u64 sum = 0;

    for (u32 n = 0; n < AT_ONCE; n++)
        sum += events[REQUEST + n].taken;
    return sum;
}

static void round_do(u64 requests)
{
    for (u64 end = requests_taken() + requests; requests_taken() < end;) {
        events_make();
        asm volatile("wfi");
        csr_set(CSR_SSTATUS, SSTATUS_SIE);
        csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    }
    for (u32 kind = 0; kind < KINDS; kind++)
        if (events[kind].made != events[kind].taken + events[kind].waits)
            say("BAD %s: %lu made, %lu taken", name_of(kind), events[kind].made,
                events[kind].taken);
}

GUEST(events)
{
    u64 requests = arg("requests", 10000);

    seed             = arg("seed", 1);
    disk_patience_ms = arg("patience_ms", 1000);
    on_irq           = on_event;
    plic_enable(IRQ_DISK, 1);
    plic_enable(IRQ_UART, 1);
    disk_start(F_VERSION_1);
    poke8(UART + UART_FCR, 0);
    poke8(UART + UART_MCR, 0x10); // what is sent is received
    poke8(UART + UART_IER, 1);
    csr_write(CSR_SIE, INT_SSI | INT_STI | INT_SEI);
    for (u64 round = 1;; round++) {
        round_do(requests);
        say("round %lu requests=%lu timers=%lu ipis=%lu bytes=%lu slowest_us=%lu", round,
            requests_taken(), events[TIMER].taken, events[IPI].taken, events[BYTE].taken,
            slowest / 10);
    }
}

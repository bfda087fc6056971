// SPDX-License-Identifier: MIT
// Puts values of its own, by its seed, into every CSR of its kernel's that keeps any, computes for
// longer than a slice, and looks whether they are there: the others of the same kind have others.
// Shows: C6
#include "hostile.h"

struct supers {
    u64 scratch, epc, cause, tval, counteren, sie, sip, status;
};

static struct supers read_all(void)
{
    return (struct supers){ .scratch   = csr_read(CSR_SSCRATCH),
                            .epc       = csr_read(CSR_SEPC),
                            .cause     = csr_read(CSR_SCAUSE),
                            .tval      = csr_read(CSR_STVAL),
                            .counteren = csr_read(CSR_SCOUNTEREN),
                            .sie       = csr_read(CSR_SIE),
                            .sip       = csr_read(CSR_SIP) & INT_SSI,
                            .status    = csr_read(CSR_SSTATUS) & (SSTATUS_SUM | SSTATUS_MXR | SSTATUS_SPP | SSTATUS_SPIE) };
}

static void write_all(u64 seed)
{
    csr_write(CSR_SSCRATCH, seed * 0x9e3779b97f4a7c15);
    csr_write(CSR_SEPC, (seed * 0x7f4a7c159e3779b9) & 0xfffffffffcul);
    csr_write(CSR_SCAUSE, seed % 8);
    csr_write(CSR_STVAL, seed * 0x123456789abcdef);
    csr_write(CSR_SCOUNTEREN, seed % 8);
    csr_write(CSR_SIE, seed % 2 ? INT_STI | INT_SEI : INT_SSI);
    csr_write(CSR_SIP, seed % 4 < 2 ? INT_SSI : 0);
    csr_clear(CSR_SSTATUS, SSTATUS_SUM | SSTATUS_MXR | SSTATUS_SPP | SSTATUS_SPIE);
    csr_set(CSR_SSTATUS, (seed & 1 ? SSTATUS_SUM : 0) | (seed & 2 ? SSTATUS_MXR : 0) |
                             (seed & 4 ? SSTATUS_SPP : 0) | (seed & 8 ? SSTATUS_SPIE : 0));
}

static void check(const char *what, u64 is, u64 was)
{
    if (is != was)
        say("BAD %s is %lx, not %lx", what, is, was);
}

GUEST(super)
{
    u64 seed = arg("seed", 1);

    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    timer_set(~0ul);
    for (u64 round = 1; round <= 8; round++) {
        struct supers was, is;

        write_all(seed * 5 + round);
        was = read_all();
        for (u64 end = time_now() + 12 * TICKS_PER_MS; time_now() < end;)
            ;
        is = read_all();
        check("sscratch", is.scratch, was.scratch);
        check("sepc", is.epc, was.epc);
        check("scause", is.cause, was.cause);
        check("stval", is.tval, was.tval);
        check("scounteren", is.counteren, was.counteren);
        check("sie", is.sie, was.sie);
        check("sip", is.sip, was.sip);
        check("sstatus", is.status, was.status);
        csr_write(CSR_SIP, 0);
        csr_write(CSR_SIE, 0);
        say("round %lu", round);
    }
    for (;;)
        __asm__ volatile("wfi");
}

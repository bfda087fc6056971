// SPDX-License-Identifier: MIT
// stimecmp, where the hart has it: what is written is read, and sip.STIP follows it by itself.
// Shows: C8
#include "guest.h"

static void compare_try(const char *what, u64 value)
{
    csr_write(CSR_STIMECMP, value);
    printf("%s: %s, %s\n", what,
           csr_read(CSR_STIMECMP) == value ? "reads back" : "does not read back",
           csr_read(CSR_SIP) & INT_STI ? "pending at once"
           : wait_for(csr_read(CSR_SIP) & INT_STI, 5ul) ? "pending later" : "not pending");
}

GUEST(irq_stimecmp)
{
    u64 soon;

    if (TRAPS(csr_read(CSR_STIMECMP)) != CAUSE_NONE) {
        printf("no stimecmp: %s\n", cause_text(trap.cause));
        return;
    }
    compare_try("never", ~0ul);
    compare_try("0", 0);
    compare_try("never", ~0ul);
    compare_try("past", time_now() - 1000);
    soon = time_now() + 2 * TICKS_PER_MS;
    csr_write(CSR_STIMECMP, soon);
    printf("soon: %s, ", wait_for(csr_read(CSR_SIP) & INT_STI, 1000ul) ? "pending" : "not pending");
    printf("%s\n", time_now() >= soon ? "not early" : "early");
    compare_try("2^63", 1ul << 63);
    compare_try("2^63 - 1", (1ul << 63) - 1);
    compare_try("2^62", 1ul << 62);

    csr_write(CSR_STIMECMP, 0);
    csr_write(CSR_SIP, 0);
    printf("sip cleared by hand: %#lx\n", csr_read(CSR_SIP));
    csr_write(CSR_STIMECMP, ~0ul);
    printf("never: %#lx\n", csr_read(CSR_SIP));
}

// SPDX-License-Identifier: MIT
// Traps within a trap's handler: the kernel that saved sepc, scause and sstatus finds its way back.
// Shows: C3 C4
#include "guest.h"

static volatile u64 depth, deepest, inner_causes;

static void on_ssi(u64 cause)
{
    u64 sepc = csr_read(CSR_SEPC);

    (void)cause;
    csr_clear(CSR_SIP, INT_SSI);
    depth++;
    if (depth > deepest)
        deepest = depth;
    TRAPS(__asm__ volatile(".word 0"));
    inner_causes = hash_add(inner_causes, trap.cause);
    TRAPS(__asm__ volatile("ebreak"));
    inner_causes = hash_add(inner_causes, trap.cause);
    TRAPS(peek64(0x100000000));
    inner_causes = hash_add(inner_causes, trap.cause);
    printf("depth %lu, SPP %lu, sepc %s\n", depth, csr_read(CSR_SSTATUS) >> 8 & 1,
           csr_read(CSR_SEPC) == sepc ? "kept" : "changed by the inner traps");
    if (depth < 5) {
        csr_set(CSR_SIP, INT_SSI);
        csr_set(CSR_SSTATUS, SSTATUS_SIE);      // the next one comes here
        csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    }
    depth--;
}

GUEST(trap_nested)
{
    on_irq = on_ssi;
    csr_write(CSR_SIE, INT_SSI);
    for (int i = 0; i < 3; i++) {
        csr_set(CSR_SSTATUS, SSTATUS_SIE);
        csr_set(CSR_SIP, INT_SSI);
        csr_clear(CSR_SSTATUS, SSTATUS_SIE);
        printf("back at depth %lu, deepest %lu, causes %016lx\n", depth, deepest, inner_causes);
    }
}

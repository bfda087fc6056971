// SPDX-License-Identifier: MIT
// Several interrupts at once: each that is enabled is taken, none twice and none that is masked.
// In which order they come is left open: see README.md.
// Shows: C9 D9
#include "board.h"

static volatile u64 seen, taken;

// Each is taken once and then masked, for its source goes on.
static void on_any(u64 cause)
{
    taken++;
    seen |= 1ul << (cause & 63);
    csr_clear(CSR_SIE, 1ul << (cause & 63));
}

static void order_try(u64 enabled)
{
    seen = taken = 0;
    csr_write(CSR_SIE, enabled);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    printf("sie %#lx sip %#lx: %lu taken, %#lx\n", enabled, csr_read(CSR_SIP), taken, seen);
}

GUEST(irq_priority)
{
    on_irq = on_any;
    console_hold();
    plic_enable(IRQ_UART, 1);
    uart_line_raise();
    timer_set(0);
    csr_set(CSR_SIP, INT_SSI);
    wait_for((csr_read(CSR_SIP) & (INT_SSI | INT_STI | INT_SEI)) == (INT_SSI | INT_STI | INT_SEI),
             100ul);
    for (u64 enabled = 0; enabled < 8; enabled++)
        order_try((enabled & 1 ? INT_SSI : 0) | (enabled & 2 ? INT_STI : 0)
                  | (enabled & 4 ? INT_SEI : 0));
    uart_line_lower();
    plic_complete(plic_claim());
    console_release();
    order_try(INT_SSI | INT_STI | INT_SEI);
    timer_set(~0ul);
    order_try(INT_SSI | INT_STI | INT_SEI);
    csr_clear(CSR_SIP, INT_SSI);
    order_try(INT_SSI | INT_STI | INT_SEI);
}

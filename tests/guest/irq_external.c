// SPDX-License-Identifier: MIT
// The UART's transmitter interrupt through the PLIC to the kernel: taken while the line is up, gone
// when it is down, and once for each time it is raised.
// Shows: D9 D10
#include "board.h"

static volatile u64 taken, wrong;

static void on_sei(u64 cause)
{
    u32 id = plic_claim();

    (void)cause;
    wrong += id != IRQ_UART;
    if ((peek8(UART + UART_IIR) & 0xf) != 2)        // reading it lowers the line
        wrong++;
    plic_complete(id);
    taken++;
}

GUEST(irq_external)
{
    on_irq = on_sei;
    console_hold();
    plic_enable(IRQ_UART, 1);
    uart_line_lower();
    csr_set(CSR_SIE, INT_SEI);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    for (int i = 0; i < 300; i++) {
        u64 before = taken;

        uart_line_raise();
        if (!wait_for(taken > before, 100ul))
            guest_fail("an interrupt was lost");
    }
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    uart_line_lower();
    printf("raised 300, taken %lu, wrong %lu, sip %#lx\n", taken, wrong, csr_read(CSR_SIP));

    poke32(PLIC_PRIORITY(IRQ_UART), 0);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    uart_line_raise();
    wait_for(false, 2ul);
    printf("priority 0: taken %lu\n", taken);
    poke32(PLIC_PRIORITY(IRQ_UART), 1);
    wait_for(taken == 301, 100ul);
    printf("priority 1: taken %lu\n", taken);
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    uart_line_lower();
    console_release();
}

// SPDX-License-Identifier: MIT
// Thresholds and priorities with an interrupt pending: sip.SEIP follows each change at once, up and
// down; a claim does not ask the threshold.
// Shows: D9
#include "board.h"

GUEST(plic_threshold)
{
    console_hold();
    plic_enable(IRQ_UART, 1);
    uart_line_raise();
    for (u32 priority = 0; priority < 8; priority++) {
        printf("priority %u:", priority);
        poke32(PLIC_PRIORITY(IRQ_UART), priority);
        for (u32 threshold = 0; threshold < 8; threshold++) {
            poke32(PLIC_THRESHOLD(CONTEXT_S), threshold);
            printf(" %c", csr_read(CSR_SIP) & INT_SEI ? 'y' : 'n');
        }
        printf("\n");
    }
    for (int i = 0; i < 3; i++) {
        poke32(PLIC_THRESHOLD(CONTEXT_S), 0);
        printf("threshold 0: %c", csr_read(CSR_SIP) & INT_SEI ? 'y' : 'n');
        poke32(PLIC_THRESHOLD(CONTEXT_S), 7);
        printf(", 7: %c\n", csr_read(CSR_SIP) & INT_SEI ? 'y' : 'n');
    }
    poke32(PLIC_THRESHOLD(CONTEXT_S), 0);
    poke32(PLIC_PRIORITY(IRQ_UART), 0);
    printf("priority 0: %c\n", csr_read(CSR_SIP) & INT_SEI ? 'y' : 'n');
    uart_line_lower();
    console_release();
}

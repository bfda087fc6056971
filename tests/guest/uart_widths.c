// SPDX-License-Identifier: MIT
// The UART's page by every width: aligned reads of its eight registers, and that nothing answers
// behind them.
// Shows: D8
#include "access.h"
#include "board.h"

static void width_try(int kind, u64 offset)
{
    struct cpu c;
    u64        cause = access_try(&c, MODE_S, kind, UART + offset, 0);

    printf(" %s+%lx=", accesses[kind].name, offset);
    if (cause == CAUSE_NONE)
        printf("%lx", accesses[kind].loads ? c.x[A0] : 0);
    else
        printf("%s%s", cause_text(cause), c.tval == UART + offset ? "" : "!");
}

GUEST(uart_widths)
{
    static const int loads[] = { ACCESS_LB, ACCESS_LBU, ACCESS_LH, ACCESS_LHU, ACCESS_LW,
                                 ACCESS_LWU, ACCESS_LD };

    poke8(UART + UART_LCR, 3);
    poke8(UART + UART_IER, 0);
    poke8(UART + UART_SCR, 0xa5);
    for (size_t i = 0; i < sizeof loads / sizeof *loads; i++) {
        for (u64 offset = 0; offset < 8; offset += (u64)accesses[loads[i]].bytes)
            width_try(loads[i], offset);
        printf("\n");
    }
    for (int kind = ACCESS_SH; kind <= ACCESS_SD; kind++) {
        poke8(UART + UART_IER, 0);
        poke8(UART + UART_SCR, 0xa5);
        if (kind == ACCESS_SH)
            width_try(kind, 6);                         // MSR: no effect
        if (kind == ACCESS_SW)
            width_try(kind, 4);                         // MCR becomes 0
        printf(" IER %lx SCR %lx\n", peek8(UART + UART_IER), peek8(UART + UART_SCR));
    }
    for (u64 offset = 8; offset < 0x20; offset += 8)
        for (int kind = ACCESS_LB; kind <= ACCESS_SD; kind++)
            width_try(kind, offset);
    printf("\n");
    for (u64 offset = 0x20; offset < 0x1000; offset += 8) {
        u64 faults = 0;

        for (int kind = ACCESS_LB; kind <= ACCESS_SD; kind++)
            faults += access_cause(MODE_S, kind, UART + offset) != CAUSE_NONE;
        if (faults != 11)
            printf("+%lx: only %lu faults\n", offset, faults);
    }
}

// SPDX-License-Identifier: MIT
// Claim and complete with one source: pending, claimed once, silent until completed, pending again
// when the line is raised again; completions of what was never claimed change nothing.
// Shows: D9
#include "board.h"

static void show(const char *what)
{
    printf("%s: pending %lx sip %lx\n", what, peek32(PLIC_PENDING(0)), csr_read(CSR_SIP) & INT_SEI);
}

static void round_trip(void)
{
    static const u32 nonsense[] = { 0, 1, 11, 31, 32, 95, 96, 1023, 1024, ~0u };
    u32 id;

    uart_line_raise();
    show("line up");
    id = plic_claim();
    printf("claim: %u\n", id);
    show("claimed");
    printf("claim again: %u\n", plic_claim());
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
        plic_complete(nonsense[i]);
    show("nonsense completed");
    printf("claim: %u\n", plic_claim());
    uart_line_lower();
    show("line down");
    plic_complete(id);
    show("completed");
    plic_complete(id);
    show("completed twice");
    printf("claim: %u\n", plic_claim());
}

GUEST(plic_claim)
{
    u32 id;

    console_hold();
    plic_enable(IRQ_UART, 1);
    uart_line_lower();
    show("line down");
    round_trip();
    round_trip();

    // Not enabled: pending but not claimable.
    poke32(PLIC_ENABLE(CONTEXT_S, 0), 0);
    uart_line_raise();
    show("disabled, line up");
    printf("claim: %u\n", plic_claim());
    poke32(PLIC_ENABLE(CONTEXT_S, 0), 1u << IRQ_UART);
    poke32(PLIC_THRESHOLD(CONTEXT_S), 0);       // see README.md
    show("enabled");
    printf("claim: %u\n", id = plic_claim());
    uart_line_lower();
    plic_complete(id);
    show("completed");

    // What has reached the PLIC stays although the line falls, until it is claimed.
    uart_line_raise();
    uart_line_lower();
    show("line up and down");
    printf("claim: %u\n", id = plic_claim());
    plic_complete(id);
    show("completed");
    round_trip();
    console_release();
}

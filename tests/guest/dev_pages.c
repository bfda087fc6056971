// SPDX-License-Identifier: MIT
// Whole pages of device registers, every aligned offset by every width: what a load gives, or which
// fault it or a store of zero is.  One hash for each width and page.
// Shows: D8 D9
#include "access.h"
#include "board.h"

// Reads that have effects, or whose value moves.
static bool leave_alone(u64 at, int kind)
{
    if (at >= RTC && at < RTC + 0x28)
        return accesses[kind].bytes >= 4;
    return at == PLIC_CLAIM(0) || at == PLIC_CLAIM(1) || at == PLIC_THRESHOLD(0)
        || at == PLIC_PRIORITY(96) || (at & ~3ul) == SYSCON;
}

static void page_print(const char *what, u64 page, bool stores)
{
    printf("%s:", what);
    for (int kind = ACCESS_LB; kind <= (stores ? ACCESS_SD : ACCESS_LD); kind++) {
        u64 h = HASH_START;

        for (u64 at = page; at < page + 0x1000; at += (u64)accesses[kind].bytes) {
            struct cpu c;
            u64        cause;

            if (leave_alone(at, kind))
                continue;
            cause = access_try(&c, MODE_S, kind, at, 0);
            h = hash_add(h, cause);
            h = hash_add(h, cause == CAUSE_NONE ? c.x[A0] : c.tval);
            detail("%lx %s: %s %lx\n", at, accesses[kind].name, cause_text(cause),
                   cause == CAUSE_NONE ? c.x[A0] : c.tval);
        }
        printf(" %s %08lx", accesses[kind].name, h >> 32);
    }
    printf("\n");
}

GUEST(dev_pages)
{
    poke8(UART + UART_IER, 0);
    poke8(UART + UART_LCR, 3);
    poke8(UART + UART_SCR, 0x5a);
    plic_enable(IRQ_UART, 5);
    plic_enable(IRQ_RTC, 6);
    page_print("UART", UART, false);
    page_print("RTC", RTC, true);
    page_print("syscon", SYSCON, true);
    page_print("PLIC, priorities", PLIC, false);
    page_print("PLIC, pending", PLIC + 0x1000, true);
    page_print("PLIC, enables", PLIC + 0x2000, false);
    page_print("PLIC, context M", PLIC + 0x200000, false);
    page_print("PLIC, context S", PLIC + 0x201000, false);
    page_print("PLIC, no such context", PLIC + 0x202000, true);
    page_print("PLIC, the last page", PLIC + 0x5ff000, true);
    page_print("behind the PLIC", PLIC + 0x600000, true);
}

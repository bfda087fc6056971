// SPDX-License-Identifier: MIT
// Loads and stores that lie across two pages, the second of which is absent, read-only, the
// kernel's, or a hole: stval names the byte that failed, and a store leaves nothing behind.  (A
// hole is found only when the first half has been written: there only the trap is looked at.)
// Shows: C11 P2
#include "access.h"
#include "page.h"

#define VA 0x180000000ul

static u8 memory[2 * PAGE] __attribute__((aligned(PAGE)));

static void pages_try(const char *what, u64 first, u64 second_pa, u64 second)
{
    struct space space;

    pages_reset();
    space_make(&space, 3);
    space_map(&space, VA, (u64)memory, first, 0);
    space_map(&space, VA + PAGE, second_pa, second, 0);
    space_enter(&space, 0);
    for (int kind = ACCESS_LH; kind <= ACCESS_SD; kind++) {
        for (u64 offset = 1; offset < (u64)accesses[kind].bytes; offset++) {
            struct cpu c;
            u64        cause;

            for (u64 i = 0; i < 16; i++)
                memory[PAGE - 8 + i] = 0x10 + i;
            cause = access_try(&c, MODE_U, kind, VA + PAGE - offset, 0xa1a2a3a4a5a6a7a8);
            printf("%s: %s -%lu: %s tval %+ld a0 %#lx", what, accesses[kind].name, offset,
                   cause_text(cause), cause == CAUSE_NONE ? 0 : (long)(c.tval - VA - PAGE),
                   c.x[A0]);
            if (cause != CAUSE_STORE_ACCESS)
                printf(" first %#lx second %#lx", peek64((u64)memory + PAGE - 8),
                       peek64((u64)memory + PAGE));
            printf("\n");
        }
    }
    space_leave();
}

GUEST(trap_page_cross)
{
    u64 second = (u64)memory + PAGE;

    pages_try("both", PTE_USER, second, PTE_USER);
    pages_try("absent", PTE_USER, second, 0);
    pages_try("read-only", PTE_USER, second, PTE_USER & ~PTE_W);
    pages_try("kernel's", PTE_USER, second, PTE_USER & ~PTE_U);
    pages_try("hole", PTE_USER, 0x100000000, PTE_USER);
    pages_try("first absent", 0, second, PTE_USER);
    pages_try("first read-only", PTE_USER & ~PTE_W, second, PTE_USER);
}

// SPDX-License-Identifier: MIT
// A 32-bit instruction across two pages whose second page cannot be fetched: pc is the instruction,
// stval the second page.  A 16-bit one at the same place runs.
// Shows: C11 P3
#include "insn.h"
#include "page.h"

#define VA 0x180000000ul

static u8 memory[2 * PAGE] __attribute__((aligned(PAGE)));

static void pages_try(const char *what, enum mode mode, u64 second_pa, u64 second)
{
    u64          flags = PTE_V | PTE_R | PTE_X | PTE_AD | (mode == MODE_U ? PTE_U : 0);
    struct space space;
    struct cpu   c;

    pages_reset();
    space_make(&space, 3);
    space_map(&space, VA, (u64)memory, flags, 0);
    space_map(&space, VA + PAGE, second_pa, second, 0);
    space_enter(&space, 0);
    cpu_init(&c, mode, VA + PAGE - 4);
    cpu_run(&c);
    printf("%s from %c: %s pc %+ld tval %+ld a0 %#lx\n", what, mode == MODE_U ? 'U' : 'S',
           cause_text(c.cause), (long)(c.pc - VA - PAGE), c.tval ? (long)(c.tval - VA - PAGE) : 0,
           c.x[A0]);
    space_leave();
}

GUEST(trap_fetch_cross)
{
    u64 second = (u64)memory + PAGE;

    for (int compressed = 0; compressed < 2; compressed++) {
        poke16(second - 4, 0x0505);                         // c.addi a0, 1
        poke16(second - 2, compressed ? 0x0505 : 0x0513);   // c.addi a0, 1 or addi a0, a0, 2
        poke16(second + 0, compressed ? 0x9002 : 0x0025);
        poke16(second + 2, 0x9002);
        fence_i();
        for (enum mode mode = MODE_U; mode <= MODE_S; mode++) {
            u64 user = mode == MODE_U ? PTE_U : 0;

            printf("%d-bit instruction\n", compressed ? 16 : 32);
            pages_try("both", mode, second, PTE_V | PTE_R | PTE_X | PTE_AD | user);
            pages_try("absent", mode, second, 0);
            pages_try("no X", mode, second, PTE_V | PTE_R | PTE_AD | user);
            pages_try("other's", mode, second, PTE_V | PTE_R | PTE_X | PTE_AD | (PTE_U ^ user));
        }
    }
}

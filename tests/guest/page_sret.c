// SPDX-License-Identifier: MIT
// sret, with paging, to addresses that cannot be fetched from: unmapped, not canonical, the other
// mode's; the trap's pc and stval are the whole address, and SPP is the mode that sret went to.
// Shows: P3 C2
#include "insn.h"
#include "page.h"

// What ebreak leaves in stval is left open: QEMU 10 gives the address of an earlier fault.
static void sret_try(enum mode mode, u64 target)
{
    struct cpu c;

    cpu_init(&c, mode, target);
    cpu_run(&c);
    printf("  %c %#lx: %s pc %s tval %s SPP %lu\n", mode == MODE_U ? 'U' : 'S', target,
           cause_text(c.cause), c.pc == target ? "same" : "other",
           c.cause == CAUSE_BREAKPOINT ? "-" : c.tval == target ? "same" : "other",
           c.sstatus >> 8 & 1);
}

GUEST(page_sret)
{
    u64 code = CODE(INSN_EBREAK);

    for (int levels = 3; levels <= 5; levels++) {
        struct space space;

        if (!levels_supported(levels))
            continue;
        space_make(&space, levels);
        space_enter(&space, 0);
        printf("%d levels\n", levels);
        for (enum mode mode = MODE_U; mode <= MODE_S; mode++) {
            sret_try(mode, code);
            sret_try(mode, user_alias(code));
            sret_try(mode, 0);
            sret_try(mode, 0x180000000);
            for (int bit = 37; bit < 64; bit++)
                sret_try(mode, 0x180000000 ^ 1ul << bit);
            sret_try(mode, ~1ul);
            sret_try(mode, ~0ul << (11 + 9 * levels));
            sret_try(mode, 1ul << (11 + 9 * levels));
        }
        space_leave();
    }
}

// SPDX-License-Identifier: MIT
// A and D: for each kind of access and each of their old values, what the entry holds afterwards
// and whether the access went through; again after the kernel has cleared them.
// Shows: P6 P2
#include "access.h"
#include "insn.h"
#include "page.h"

#define VA 0x180000000ul

static u32 memory[PAGE / 4] __attribute__((aligned(PAGE)));

static const int kinds[] = {
    ACCESS_LB, ACCESS_LD, ACCESS_SB, ACCESS_SD, ACCESS_FETCH, ACCESS_LR_D, ACCESS_AMO_W,
    ACCESS_AMO_D,
};

static void kind_try(struct space *space, int kind, u64 flags)
{
    pte_t *slot = space_slot(space, VA, 0);

    printf(" %s", accesses[kind].name);
    for (u64 ad = 0; ad < 4; ad++) {
        u64 cause;

        *slot = pte_make((u64)memory, flags | ad << 6);
        sfence_all();
        cause = access_cause(MODE_S, kind, VA + (kind == ACCESS_FETCH ? 0 : 8));
        if (cause == CAUSE_NONE)
            printf(" %lx", *slot & 0xff);
        else                                    // A may be set for what was not done
            printf(" fault %lx", *slot & 0xff & ~(u64)PTE_A);
    }
    printf(";");
}

GUEST(page_ad)
{
    static const u64 flags[] = {
        PTE_V | PTE_RWX, PTE_V | PTE_R, PTE_V | PTE_X, PTE_V | PTE_R | PTE_W,
        PTE_V | PTE_RWX | PTE_G,
    };
    struct space space;
    pte_t       *slot;
    u64          h = HASH_START;

    memory[0] = INSN_EBREAK;
    fence_i();
    space_make(&space, 3);
    slot = space_slot(&space, VA, 0);
    space_enter(&space, 0);
    for (size_t f = 0; f < sizeof flags / sizeof *flags; f++) {
        printf("%02lx:", flags[f]);
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
            kind_try(&space, kinds[i], flags[f]);
        printf("\n");
    }

    // Load, store, clear D, store, clear both, load: each step after a fence of that page.
    *slot = pte_make((u64)memory, PTE_V | PTE_RWX);
    for (int i = 0; i < 1000; i++) {
        static const u64 clears[] = { 0, 0, PTE_D, PTE_AD, PTE_A };

        *slot &= ~clears[i % 5];
        sfence_va(VA);
        if (i % 3)
            h = hash_add(h, TRAPS(peek64(VA + 8)));
        else
            h = hash_add(h, TRAPS(poke64(VA + 8, (u64)i)));
        h = hash_add(h, *slot & 0xff);
    }
    printf("a thousand steps: %016lx\n", h);

    // Bits that the kernel sets beside them stay: RSW, G, and the page number.
    *slot = pte_make((u64)memory, PTE_V | PTE_RWX | PTE_G | 3 << 8);
    sfence_all();
    TRAPS(poke64(VA + 8, 1));
    printf("entry: flags %#lx page %s\n", *slot & 0x3ff,
           *slot >> 10 == (u64)memory >> 12 ? "kept" : "lost");
    space_leave();
}

// SPDX-License-Identifier: MIT
// Who may do what: each of the sixteen R/W/X/U combinations against SUM, MXR, mode and kind of
// access, in every paging mode.  One character for each access: a dot, or the cause in hex.
// Shows: P2 C13
#include "access.h"
#include "insn.h"
#include "page.h"

#define VA 0x180000000ul

static u32 memory[PAGE / 4] __attribute__((aligned(PAGE)));

static const int kinds[] = { ACCESS_LD, ACCESS_SD, ACCESS_FETCH, ACCESS_AMO_D, ACCESS_LR_D };

static void flags_try(struct space *space, u64 rwxu)
{
    *space_slot(space, VA, 0) = pte_make((u64)memory, PTE_V | rwxu << 1 | PTE_AD);
    sfence_all();
    printf("%c%c%c%c", rwxu & 1 ? 'R' : '-', rwxu & 2 ? 'W' : '-', rwxu & 4 ? 'X' : '-',
           rwxu & 8 ? 'U' : '-');
    for (int more = 0; more < 4; more++) {
        csr_clear(CSR_SSTATUS, SSTATUS_SUM | SSTATUS_MXR);
        csr_set(CSR_SSTATUS, (more & 1 ? SSTATUS_SUM : 0) | (more & 2 ? SSTATUS_MXR : 0));
        printf(" ");
        for (enum mode mode = MODE_U; mode <= MODE_S; mode++)
            for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
                // QEMU 7.2 lets vS execute a user page that a load with SUM has brought into its
                // TLB.
                sfence_all();

                u64 cause = access_cause(mode, kinds[i], VA + (kinds[i] == ACCESS_FETCH ? 0 : 8));

                if (cause == CAUSE_NONE)
                    printf(".");
                else
                    printf("%lx", cause);
            }
    }
    csr_clear(CSR_SSTATUS, SSTATUS_SUM | SSTATUS_MXR);
    printf("\n");
}

GUEST(page_perm)
{
    memory[0] = INSN_EBREAK;
    printf("each group: U ld sd jalr amo lr, then S; groups: none, SUM, MXR, both\n");
    for (int levels = 3; levels <= 5; levels++) {
        struct space space;

        if (!levels_supported(levels))
            continue;
        printf("%d levels\n", levels);
        space_make(&space, levels);
        space_slot(&space, VA, 0);
        space_enter(&space, 0);
        for (u64 rwxu = 0; rwxu < 16; rwxu++)
            flags_try(&space, rwxu);
        space_leave();
    }
}

// SPDX-License-Identifier: MIT
// Remote fences to oneself: odd addresses and sizes are as good as others, harts that do not exist
// are refused, and an edited entry is seen afterwards.
// Shows: S1 P1 P11
#include "insn.h"
#include "page.h"

#define VA 0x180000000ul

static u64 memory[2][PAGE / 8] __attribute__((aligned(PAGE)));

static void fences_print(u64 start, u64 size)
{
    printf("start %#lx size %#lx: %ld %ld\n", start, size,
           sbi_call(SBI_RFENCE, 1, 1, 0, start, size).error,
           sbi_call(SBI_RFENCE, 2, 1, 0, start, size, 5).error);
}

// What a call for harts that are none of ours answers: refused, as the specification wants it, or
// success, as OpenSBI from 1.5 on.
static const char *nobody(u64 fid, u64 base)
{
    long error = sbi_call(SBI_RFENCE, fid, 1, base, VA, PAGE).error;

    return error == 0 || error == -3 ? "refused or nobody" : "odd";
}

GUEST(sbi_rfence)
{
    static const u64 sizes[] = { 0, 1, PAGE, PAGE + 1, 1ul << 30, 1ul << 39, ~0ul - PAGE, ~0ul };
    struct space     space;
    struct cpu       c;
    u64              base, wrong = 0;

    printf("fence.i: %ld %ld %ld\n", sbi_call(SBI_RFENCE, 0, 1, 0).error,
           sbi_call(SBI_RFENCE, 0, 0, ~0ul).error, sbi_call(SBI_RFENCE, 0, 0, 0).error);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        fences_print(0, sizes[i]);
        fences_print(VA + 5, sizes[i]);
        fences_print(~0ul - 5, sizes[i]);
    }
    for (u64 fid = 0; fid < 3; fid++)
        printf("function %lu, base 1: %s, base 64: %s, base ~1: %s\n", fid, nobody(fid, 1),
               nobody(fid, 64), nobody(fid, ~1ul));
    for (u64 fid = 3; fid < 8; fid++)
        printf("function %lu: %ld\n", fid, sbi_call(SBI_RFENCE, fid, 1, 0, VA, PAGE).error);

    memory[1][0] = 1;
    space_make(&space, 3);
    space_map(&space, VA, (u64)memory[0], PTE_KERNEL, 0);
    space_enter(&space, 5);
    for (u64 i = 0; i < 1000; i++) {
        *space_slot(&space, VA, 0) = pte_make((u64)memory[i & 1], PTE_KERNEL);
        if (i & 2)
            sbi_call(SBI_RFENCE, 1, 1, 0, VA, PAGE);
        else
            sbi_call(SBI_RFENCE, 2, 1, 0, VA, PAGE, 5);
        wrong += peek64(VA) != (i & 1);
    }
    space_leave();
    printf("entries: %lu wrong\n", wrong);

    wrong = 0;
    base = CODE(INSN_NOP, INSN_EBREAK);
    for (u32 i = 0; i < 500; i++) {
        poke32(base, insn_addi(A0, ZERO, i));
        sbi_call(SBI_RFENCE, 0, 1, 0);
        cpu_init(&c, MODE_U, base);
        cpu_run(&c);
        wrong += c.x[A0] != i;
    }
    printf("code: %lu wrong\n", wrong);
}

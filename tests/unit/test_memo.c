// SPDX-License-Identifier: MIT
// The look-aside for accesses to devices: it must never show more than a TLB would.
#include "unit.h"

#include "vdev/board.h"

#define CODE    (VM_RAM_BASE + 0x1000)
#define ROOT    (VM_RAM_BASE + 0x10000)
#define VA_DEV  0x40000000ul
#define VA_CODE 0x40001000ul
#define SCRATCH (VUART_BASE + 7) // the UART's register that only keeps
#define LBU     0x0002c383u      // lbu t2, 0(t0)
#define SB      0x00628023u      // sb t1, 0(t0)

static struct rig *r;

// Sv39: three tables at ROOT, ROOT + 0x1000 and ROOT + 0x2000; the last translates VA_DEV on.
static void leaf_set(u64 va, u64 pa, u64 rights)
{
    rig_word_set(r, ROOT + 0x2000 + 8 * level_index(gva(va), 0),
                 pa >> 12 << 10 | rights | PTE_V | PTE_A | PTE_D);
}

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r = rig_make(NULL);
    rig_word_set(r, ROOT + 8 * level_index(gva(VA_DEV), 2), (ROOT + 0x1000) >> 12 << 10 | PTE_V);
    rig_word_set(r, ROOT + 0x1000 + 8 * level_index(gva(VA_DEV), 1),
                 (ROOT + 0x2000) >> 12 << 10 | PTE_V);
    leaf_set(VA_DEV, VUART_BASE, PTE_R | PTE_W);
    leaf_set(VA_CODE, CODE, PTE_R | PTE_X);
    r->v->csr.satp = field_set(ROOT >> 12, SATP_MODE, SATP_SV39);
    r->v->f.pc     = VA_CODE;
    r->v->f.x[5]   = VA_DEV + 7;
    rig_write(r, SCRATCH, 1, 0x5a);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

// As run.c does.
static enum outcome handle(const struct trap *t)
{
    enum outcome o;

    return mmio_recall(r->v, t, &o) ? o : trap_handle(r->v, t);
}

static enum outcome access(u32 insn, u64 tval)
{
    struct trap t = { insn == SB ? EXC_STORE_PAGE_FAULT : EXC_LOAD_PAGE_FAULT, tval };

    assert_true(gmem_write(&r->vm, gpa(CODE), &insn, sizeof insn));
    return handle(&t);
}

static u64 recalled(void)
{
    return r->v->stats.recalled;
}

TEST(the_second_time_it_is_remembered)
{
    EXPECT_EQ(access(LBU, VA_DEV + 7), NEXT, "the first");
    EXPECT_EQ(recalled(), 0, "was unknown");
    r->v->f.x[7] = 0;
    EXPECT_EQ(access(LBU, VA_DEV + 7), NEXT, "the second");
    EXPECT_EQ(recalled(), 1, "is known");
    EXPECT_EQ(r->v->f.x[7], 0x5a, "and reads the register");
    EXPECT_EQ(r->v->step, 4, "step");
    EXPECT_EQ(r->v->stats.mmio, 2, "both are counted");
}

// Two addresses of a word share a place.
TEST(another_address_is_another_access)
{
    rig_write(r, VUART_BASE + 4, 1, 0x02);
    (void)access(LBU, VA_DEV + 7);
    r->v->f.x[5] = VA_DEV + 4;
    EXPECT_EQ(access(LBU, VA_DEV + 4), NEXT, "the register beside it");
    EXPECT_EQ(recalled(), 0, "not remembered");
    EXPECT_EQ(r->v->f.x[7], 0x02, "what it holds");
}

// D7: whoever replaces the instruction gets the new one.
TEST(a_replaced_instruction_is_not_remembered)
{
    (void)access(LBU, VA_DEV + 7);
    r->v->f.x[6] = 0x33;
    EXPECT_EQ(access(SB, VA_DEV + 7), NEXT, "a store where a load was");
    EXPECT_EQ(rig_read(r, SCRATCH, 1), 0x33, "stored");
    EXPECT_EQ(access(0x00000013, VA_DEV + 7), REFLECT, "a nop cannot fault");
    EXPECT_EQ(recalled(), 0, "never");
}

TEST(a_fence_of_the_device_page_forgets)
{
    (void)access(LBU, VA_DEV + 7);
    leaf_set(VA_DEV, 0x50000000, PTE_R | PTE_W); // nobody is there
    EXPECT_EQ(access(LBU, VA_DEV + 7), NEXT, "without a fence the old translation may hold");
    shadow_fence(r->v, true, gva(VA_DEV + 0x800), false, 0);
    EXPECT_EQ(access(LBU, VA_DEV + 7), REFLECT, "after it, it must not");
    EXPECT_EQ(r->v->exc.cause, EXC_LOAD_ACCESS, "cause");
}

TEST(a_fence_of_the_code_page_forgets)
{
    u32 sb = SB;

    (void)access(LBU, VA_DEV + 7);
    assert_true(gmem_write(&r->vm, gpa(CODE + 0x1000), &sb, sizeof sb));
    leaf_set(VA_CODE, CODE + 0x1000, PTE_R | PTE_X);
    shadow_fence(r->v, true, gva(VA_CODE), false, 0);
    EXPECT_EQ(access(LBU, VA_DEV + 7), RESUME, "the instruction there is a store");
    EXPECT_EQ(recalled(), 0, "not remembered");
}

TEST(a_fence_of_another_page_does_not)
{
    (void)access(LBU, VA_DEV + 7);
    shadow_fence(r->v, true, gva(VA_CODE + 0x1000), false, 0);
    (void)access(LBU, VA_DEV + 7);
    EXPECT_EQ(recalled(), 1, "still known");
}

// The device's page as a piece of 2 MiB: any address of those is an address of the page.
TEST(a_fence_anywhere_in_a_large_page_forgets)
{
    rig_word_set(r, ROOT + 0x1000 + 8 * level_index(gva(VA_DEV + 2 * MIB), 1),
                 VUART_BASE >> 12 << 10 | PTE_R | PTE_W | PTE_V | PTE_A | PTE_D);
    r->v->f.x[5] = VA_DEV + 2 * MIB + 7;
    (void)access(LBU, VA_DEV + 2 * MIB + 7);
    (void)access(LBU, VA_DEV + 2 * MIB + 7);
    EXPECT_EQ(recalled(), 1, "known");
    shadow_fence(r->v, true, gva(VA_DEV + 3 * MIB), false, 0);
    (void)access(LBU, VA_DEV + 2 * MIB + 7);
    EXPECT_EQ(recalled(), 1, "forgotten");
}

TEST(fences_of_everything_forget)
{
    for (int has_asid = 0; has_asid < 2; has_asid++) {
        (void)access(LBU, VA_DEV + 7);
        assert_int_not_equal(r->v->memos.used, 0);
        shadow_fence(r->v, false, gva(0), has_asid, 0);
        EXPECT_EQ(r->v->memos.used, 0, "asid given: %d", has_asid);
    }
    (void)access(LBU, VA_DEV + 7);
    vcpu_reset(r->v);
    EXPECT_EQ(r->v->memos.used, 0, "nothing of an earlier life");
}

// What is remembered for one mode, satp or setting of SUM says nothing of another.
TEST(another_context_is_another_access)
{
    (void)access(LBU, VA_DEV + 7);
    r->v->mode = MODE_U;
    EXPECT_EQ(access(LBU, VA_DEV + 7), REFLECT, "no page of the kernel's for vU");
    EXPECT_EQ(r->v->exc.cause, EXC_LOAD_PAGE_FAULT, "cause");
    r->v->mode = MODE_S;
    r->v->csr.mstatus |= STATUS_SUM;
    (void)access(LBU, VA_DEV + 7);
    r->v->csr.mstatus &= ~STATUS_SUM;
    r->v->csr.satp = field_set(r->v->csr.satp, SATP_ASID, 1);
    (void)access(LBU, VA_DEV + 7);
    EXPECT_EQ(recalled(), 0, "none of them was known");
}

// The access that reaches over from the page before has the same pc and tval.
TEST(an_access_that_reaches_over_is_not_remembered)
{
    (void)access(LBU, VA_DEV + 7);
    r->v->f.x[5] = VA_DEV + 6;
    EXPECT_EQ(access(LBU, VA_DEV + 7), REFLECT, "it begins elsewhere");
    EXPECT_EQ(recalled(), 0, "unknown");
}

// An instruction across two pages has two translations, and is left out.
TEST(an_instruction_across_pages_is_not_remembered)
{
    u32         lbu = LBU;
    struct trap t   = { EXC_LOAD_PAGE_FAULT, VA_DEV + 7 };

    leaf_set(VA_CODE + 0x1000, CODE + 0x1000, PTE_R | PTE_X);
    assert_true(gmem_write(&r->vm, gpa(CODE + 0xffe), &lbu, sizeof lbu));
    r->v->f.pc = VA_CODE + 0xffe;
    for (int turn = 0; turn < 2; turn++)
        EXPECT_EQ(handle(&t), NEXT, "done");
    EXPECT_EQ(recalled(), 0, "the long way each time");
}

// The filter of fences knows a page by its 2 MiB, and a page larger than that by all of them.
TEST(a_fence_anywhere_in_a_huge_page_forgets)
{
    rig_word_set(r, ROOT + 8 * level_index(gva(VA_DEV + GIB), 2),
                 PTE_R | PTE_W | PTE_V | PTE_A | PTE_D); // guest-physical 0: the UART is in it
    r->v->f.x[5] = VA_DEV + GIB + SCRATCH;
    EXPECT_EQ(access(LBU, VA_DEV + GIB + SCRATCH), NEXT, "read");
    EXPECT_EQ(r->v->f.x[7], 0x5a, "the register");
    shadow_fence(r->v, true, gva(VA_DEV + GIB + 777 * MIB), false, 0);
    EXPECT_EQ(r->v->memos.used, 0, "forgotten");
}

// Many registers at a time: all that is remembered is right, whatever pushes out what.
TEST(many_accesses_are_each_right)
{
    u64 seed = 5;

    for (int n = 0; n < 5000; n++) {
        u64 reg = dice_below(&seed, 8), source = dice_below(&seed, 2);

        r->v->csr.satp = field_set(r->v->csr.satp, SATP_ASID, source);
        r->v->f.x[5]   = VA_DEV + reg;
        EXPECT_EQ(access(LBU, VA_DEV + reg), NEXT, "register %lu", reg);
        EXPECT_EQ(r->v->f.x[7], rig_read(r, VUART_BASE + reg, 1), "register %lu", reg);
        if (n % 64 == 0)
            shadow_fence(r->v, true, gva(dice(&seed)), false, 0);
    }
    assert_true(recalled() > 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(the_second_time_it_is_remembered),
        RUN_ON_RIG(another_address_is_another_access),
        RUN_ON_RIG(a_replaced_instruction_is_not_remembered),
        RUN_ON_RIG(a_fence_of_the_device_page_forgets),
        RUN_ON_RIG(a_fence_of_the_code_page_forgets),
        RUN_ON_RIG(a_fence_of_another_page_does_not),
        RUN_ON_RIG(a_fence_anywhere_in_a_large_page_forgets),
        RUN_ON_RIG(fences_of_everything_forget),
        RUN_ON_RIG(another_context_is_another_access),
        RUN_ON_RIG(an_access_that_reaches_over_is_not_remembered),
        RUN_ON_RIG(an_instruction_across_pages_is_not_remembered),
        RUN_ON_RIG(a_fence_anywhere_in_a_huge_page_forgets),
        RUN_ON_RIG(many_accesses_are_each_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

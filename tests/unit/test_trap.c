// SPDX-License-Identifier: MIT
// The way of a trap: from the hart's cause to an outcome; emulation of instructions and of accesses
// to devices.
#include "on_rig.h"

#include "dev/machine.h"
#include "vdev/board.h"

static enum outcome trap(u64 cause, u64 tval)
{
    struct trap t = { cause, tval };

    return trap_handle(r->v, &t);
}

static void insn_put(u64 at, u32 insn, size_t len)
{
    assert_true(gmem_write(&r->vm, gpa(at), &insn, len));
}

#define SRET      0x10200073u
#define WFI       0x10500073u
#define SFENCE    0x12000073u
#define SINVAL    0x16000073u
#define W_INVAL   0x18000073u
#define INVAL_IR  0x18100073u
#define MRET      0x30200073u
#define CSRW_SATP 0x18051073u // csrw satp, a0
#define HFENCE    0x22000073u // hfence.vvma

TEST(every_cause_in_every_mode)
{
    for (u64 cause = 0; cause < 70; cause++)
        for (int n = 0; n < 2; n++) {
            enum outcome o;

            vcpu_reset(r->v);
            vcpu_start(r->v, VM_RAM_BASE, 0);
            r->v->mode  = n ? MODE_S : MODE_U;
            r->vm.state = VM_RUNNING;
            o           = trap(cause, 0x10);
            if (cause >= EXC_COUNT) {
                EXPECT_EQ(o, STOP, "cause %lu stops the VM", cause);
                EXPECT_EQ(r->vm.state, VM_STOPPED, "cause %lu", cause);
                assert_non_null(r->vm.why);
            } else if (cause == EXC_ECALL_U || cause == EXC_ECALL_S) {
                EXPECT_EQ(o, n ? NEXT : REFLECT, "an ecall is the SBI's or the guest's");
            } else {
                EXPECT_EQ(o, REFLECT, "cause %lu is the guest's", cause);
                EXPECT_EQ(r->v->exc.tval, 0x10, "tval of %lu", cause);
            }
        }
}

TEST(privileged_instructions_by_mode)
{
    static const u32 of_s[]    = { SRET, WFI, SFENCE, SINVAL, W_INVAL, INVAL_IR, CSRW_SATP };
    static const u32 of_none[] = {
        MRET, HFENCE, 0, 0xffffffff, 0x00000013, 0x30001073, 0x7b200073
    };

    for (size_t i = 0; i < ARRAY_LEN(of_s); i++) {
        r->v->mode = MODE_U;
        EXPECT_EQ(trap(EXC_ILLEGAL_INSN, of_s[i]), REFLECT, "%x in vU", of_s[i]);
        EXPECT_EQ(r->v->exc.cause, EXC_ILLEGAL_INSN, "cause");
        EXPECT_EQ(r->v->exc.tval, of_s[i], "tval");
        r->v->mode      = MODE_S;
        r->v->irq_lines = BIT(IRQ_SEI), r->v->csr.mie = BIT(IRQ_SEI);
        assert_true(trap(EXC_ILLEGAL_INSN, of_s[i]) != REFLECT);
    }
    insn_put(VM_RAM_BASE, 0x13, 4);
    for (size_t i = 0; i < ARRAY_LEN(of_none); i++) {
        r->v->mode = MODE_S;
        r->v->f.pc = VM_RAM_BASE;
        EXPECT_EQ(trap(EXC_ILLEGAL_INSN, of_none[i]), REFLECT, "%x in vS", of_none[i]);
    }
}

TEST(svinval_needs_the_extension)
{
    static const u32 insns[] = { SINVAL, W_INVAL, INVAL_IR };

    machine.isa.has &= ~(u32)EXT_SVINVAL;
    for (size_t i = 0; i < ARRAY_LEN(insns); i++)
        EXPECT_EQ(trap(EXC_ILLEGAL_INSN, insns[i]), REFLECT, "%x", insns[i]);
    EXPECT_EQ(trap(EXC_ILLEGAL_INSN, SFENCE), NEXT, "sfence.vma is always there");
}

TEST(sret_goes_to_sepc_and_nobody_adds_4)
{
    r->v->csr.sepc    = 0x4000;
    r->v->csr.mstatus = STATUS_SPIE;
    EXPECT_EQ(trap(EXC_ILLEGAL_INSN, SRET), RESUME, "outcome");
    EXPECT_EQ(r->v->f.pc, 0x4000, "pc");
    EXPECT_EQ(r->v->mode, MODE_U, "mode");
}

TEST(wfi_waits_only_if_nothing_pends)
{
    r->v->csr.mie   = INT_S;
    r->v->irq_lines = BIT(IRQ_STI);
    EXPECT_EQ(trap(EXC_ILLEGAL_INSN, WFI), NEXT, "outcome");
    assert_false(r->v->waiting);
    r->v->irq_lines = 0;
    EXPECT_EQ(trap(EXC_ILLEGAL_INSN, WFI), NEXT, "outcome");
    assert_true(r->v->waiting && r->v->pending & PEND_RESCHED);
}

// A hart may leave the instruction out of mtval: it is read from where pc points.
TEST(illegal_instruction_without_tval)
{
    insn_put(VM_RAM_BASE + 0x100, 0x14002573, 4); // csrr a0, sscratch
    r->v->f.pc         = VM_RAM_BASE + 0x100;
    r->v->csr.sscratch = 0x77;
    EXPECT_EQ(trap(EXC_ILLEGAL_INSN, 0), NEXT, "outcome");
    EXPECT_EQ(r->v->f.x[10], 0x77, "a0");
    r->v->f.pc = 0x1000; // nothing is there: the guest is to fault on it itself
    EXPECT_EQ(trap(EXC_ILLEGAL_INSN, 0), RESUME, "outcome");
}

TEST(hot_path_agrees_with_the_long_one)
{
    u64 seed = 9;

    for (int n = 0; n < 20000; n++) {
        u32 raw = ((u32)dice(&seed) & ~0x7fu) | 0x73;
        u64 regs[32], hot;

        if (n & 1)
            raw = (raw & 0xfffff) | (u32)csr_rows[dice_below(&seed, csr_n_rows)].number << 20;
        if (n % 16 == 3) // sstatus.SIE on or off, which have a way of their own
            raw = 0x10016073 | (n & 16 ? 0x1000 : 0) | (raw & 0xf80);
        vcpu_reset(r->v);
        r->v->mode      = n & 2 ? MODE_S : MODE_U;
        r->v->pending   = 0;
        r->v->csr.mie   = n & 32 ? INT_S : 0;
        r->v->irq_lines = n & 64 ? BIT(IRQ_STI) : 0;
        for (unsigned i = 1; i < 32; i++)
            regs[i] = r->v->f.x[i] = dice(&seed);
        r->v->f.pc = 0x1000;

        struct csrs before = r->v->csr;

        hot = trap_hot(&r->v->f, raw);
        if (hot == HOT_NO) {
            EXPECT_EQ(memcmp(regs + 1, r->v->f.x + 1, 31 * 8), 0,
                      "%x: not done, but registers changed", raw);
            assert_memory_equal(&before, &r->v->csr, sizeof before);
            continue;
        }

        struct vcpu *v     = r->v;
        struct csrs  after = v->csr;
        u64          rd = v->f.x[insn_rd(raw)], pending = v->pending, ext = fake_hart.ext_status;

        if (hot == HOT_SCRATCH)
            assert_true(BIT(insn_rd(raw)) & 0xf003fcf7);
        EXPECT_EQ(hot == HOT_PENDING, pending != 0, "%x", raw);
        v->csr               = before;
        v->pending           = 0;
        fake_hart.ext_status = 0;
        memcpy(v->f.x + 1, regs + 1, 31 * 8);
        EXPECT_EQ(trap(EXC_ILLEGAL_INSN, raw), NEXT, "%x", raw);
        assert_memory_equal(&after, &v->csr, sizeof after);
        EXPECT_EQ(v->f.x[insn_rd(raw)], rd, "rd of %x", raw);
        EXPECT_EQ(v->pending, pending, "pending of %x", raw);
        EXPECT_EQ(fake_hart.ext_status, ext, "FS of %x", raw);
        fake_hart.ext_status = 0;
    }
}

// Loads and stores of devices, from vS without translation.
static enum outcome mmio(u32 insn, size_t len, u64 cause, u64 tval)
{
    insn_put(VM_RAM_BASE, insn, len);
    r->v->f.pc = VM_RAM_BASE;
    return trap(cause, tval);
}

#define LB(rd, rs1)  (0x00000003u | rd << 7 | rs1 << 15)
#define LBU(rd, rs1) (0x00004003u | rd << 7 | rs1 << 15)
#define LW(rd, rs1)  (0x00002003u | rd << 7 | rs1 << 15)
#define SB(rs2, rs1) (0x00000023u | rs2 << 20 | rs1 << 15)
#define SW(rs2, rs1) (0x00002023u | rs2 << 20 | rs1 << 15)

TEST(mmio_load_and_store)
{
    r->v->f.x[5] = VUART_BASE + 7; // the scratch register
    r->v->f.x[6] = 0xffffff85;
    EXPECT_EQ(mmio(SB(6, 5), 4, EXC_STORE_PAGE_FAULT, VUART_BASE + 7), NEXT, "sb");
    EXPECT_EQ(r->v->step, 4, "step");
    EXPECT_EQ(mmio(LBU(7, 5), 4, EXC_LOAD_PAGE_FAULT, VUART_BASE + 7), NEXT, "lbu");
    EXPECT_EQ(r->v->f.x[7], 0x85, "lbu");
    EXPECT_EQ(mmio(LB(7, 5), 4, EXC_LOAD_PAGE_FAULT, VUART_BASE + 7), NEXT, "lb");
    EXPECT_EQ(r->v->f.x[7], (u64)-0x7b, "lb extends the sign");
    EXPECT_EQ(mmio(LB(0, 5), 4, EXC_LOAD_PAGE_FAULT, VUART_BASE + 7), NEXT, "to x0");
    EXPECT_EQ(r->v->f.x[0], 0, "x0");
    r->v->f.x[8] = VPLIC_BASE + 4;
    r->v->f.x[9] = 3;
    EXPECT_EQ(mmio(0xc004, 2, EXC_STORE_PAGE_FAULT, VPLIC_BASE + 4), NEXT, "c.sw s1, 0(s0)");
    EXPECT_EQ(r->v->step, 2, "a compressed one is 2 bytes long");
}

TEST(mmio_faults)
{
    r->v->f.x[5] = 0x40000000; // nobody is there
    EXPECT_EQ(mmio(LW(6, 5), 4, EXC_LOAD_PAGE_FAULT, 0x40000000), REFLECT, "outcome");
    EXPECT_EQ(r->v->exc.cause, EXC_LOAD_ACCESS, "load");
    EXPECT_EQ(r->v->exc.tval, 0x40000000, "tval");
    EXPECT_EQ(mmio(SW(6, 5), 4, EXC_STORE_PAGE_FAULT, 0x40000000), REFLECT, "outcome");
    EXPECT_EQ(r->v->exc.cause, EXC_STORE_ACCESS, "store");
    EXPECT_EQ(trap(EXC_FETCH_PAGE_FAULT, VUART_BASE), REFLECT, "outcome");
    EXPECT_EQ(r->v->exc.cause, EXC_FETCH_ACCESS, "no code in devices");
    r->v->f.x[5] = VUART_BASE;
    EXPECT_EQ(mmio(0x1002a32f, 4, EXC_LOAD_PAGE_FAULT, VUART_BASE), REFLECT, "lr.w");
    EXPECT_EQ(r->v->exc.cause, EXC_LOAD_ACCESS, "lr.w");
    EXPECT_EQ(mmio(0x0062a32f, 4, EXC_STORE_PAGE_FAULT, VUART_BASE), REFLECT, "amoadd.w");
    EXPECT_EQ(r->v->exc.cause, EXC_STORE_ACCESS, "amoadd.w");
    r->v->f.x[5] = VCLINT_BASE;
    EXPECT_EQ(mmio(LW(6, 5), 4, EXC_LOAD_PAGE_FAULT, VCLINT_BASE), REFLECT,
              "the CLINT is closed to vS");
}

// Another hart replaced the instruction: the guest is resumed, nothing is done.
TEST(mmio_of_a_replaced_instruction)
{
    r->v->f.x[5] = VUART_BASE;
    EXPECT_EQ(mmio(LW(6, 5), 4, EXC_STORE_PAGE_FAULT, VUART_BASE), RESUME,
              "a load where a store faulted");
    EXPECT_EQ(r->n_out, 0, "nothing was written");
    r->v->f.pc = 0x5000;
    EXPECT_EQ(trap(EXC_LOAD_PAGE_FAULT, VUART_BASE), RESUME, "its page has vanished");
}

// An access that begins in RAM and ends in a device has the device's address in tval.
TEST(mmio_that_reaches_over)
{
    r->v->f.x[5] = VUART_BASE - 2;
    EXPECT_EQ(mmio(LW(6, 5), 4, EXC_LOAD_PAGE_FAULT, VUART_BASE), REFLECT, "outcome");
    EXPECT_EQ(r->v->exc.cause, EXC_LOAD_ACCESS, "cause");
}

TEST(instruction_astride_the_end_of_ram)
{
    u64 end = VM_RAM_BASE + r->vm.ram_size;

    insn_put(end - 2, LW(6, 5), 2);
    r->v->f.pc   = end - 2;
    r->v->f.x[5] = VUART_BASE;
    EXPECT_EQ(trap(EXC_LOAD_PAGE_FAULT, VUART_BASE), RESUME, "its second half cannot be fetched");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(every_cause_in_every_mode),
        RUN_ON_RIG(privileged_instructions_by_mode),
        RUN_ON_RIG(svinval_needs_the_extension),
        RUN_ON_RIG(sret_goes_to_sepc_and_nobody_adds_4),
        RUN_ON_RIG(wfi_waits_only_if_nothing_pends),
        RUN_ON_RIG(illegal_instruction_without_tval),
        RUN_ON_RIG(hot_path_agrees_with_the_long_one),
        RUN_ON_RIG(mmio_load_and_store),
        RUN_ON_RIG(mmio_faults),
        RUN_ON_RIG(mmio_of_a_replaced_instruction),
        RUN_ON_RIG(mmio_that_reaches_over),
        RUN_ON_RIG(instruction_astride_the_end_of_ram),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

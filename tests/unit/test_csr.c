// SPDX-License-Identifier: MIT
// The virtual CSRs: every row keeps its promise, and there is nothing but the rows.
#include "unit.h"

#include "dev/machine.h"

static struct rig *r;

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r              = rig_make(NULL);
    fake_hart.time = 1000;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

#define A0 10
#define A1 11

static u32 csr_insn(unsigned number, unsigned funct3, unsigned rd, unsigned rs1)
{
    return number << 20 | rs1 << 15 | funct3 << 12 | rd << 7 | 0x73;
}

// The three operations as the specification has them ("Zicsr", table 8), with rd = a0, rs1 = a1.
static bool csr_op(unsigned number, unsigned funct3, u64 operand, u64 *seen)
{
    r->v->f.x[A0] = 0xdeadul;
    r->v->f.x[A1] = operand;

    bool done = csr_execute(r->v, csr_insn(number, funct3, A0, A1));

    if (seen)
        *seen = r->v->f.x[A0];
    return done;
}

static u64 csr_see(unsigned number)
{
    r->v->f.x[A0] = 0;
    assert_true(csr_execute(r->v, csr_insn(number, CSR_OP_SET, A0, 0)));
    return r->v->f.x[A0];
}

static void csr_put(unsigned number, u64 value)
{
    assert_true(csr_op(number, CSR_OP_WRITE, value, NULL));
}

// What a vCPU is, apart from its registers and its shadow.
static void state_copy(struct csrs *to)
{
    *to = r->v->csr;
}

TEST(all_numbers_all_ops_all_modes)
{
    static const enum mode modes[] = { MODE_U, MODE_S, MODE_M };

    for (unsigned number = 0; number < 4096; number++)
        for (unsigned funct3 = 1; funct3 < 8; funct3++)
            for (unsigned m = 0; m < 3; m++)
                for (unsigned rs1 = 0; rs1 < 2; rs1++) {
                    if (funct3 == 4)
                        continue;
                    const struct csr_row *row    = csr_find(number);
                    bool                  writes = (funct3 & 3) == 1 || rs1;
                    bool                  exists =
                        row && modes[m] >= ((number >> 8) & 3) && !(writes && (number >> 10) == 3);
                    struct csrs before;

                    vcpu_reset(r->v);
                    r->v->mode    = modes[m];
                    r->v->f.x[A0] = 77;
                    r->v->f.x[1]  = 0; // x1: what is written is 0, or the immediate 1
                    state_copy(&before);

                    bool done = csr_execute(r->v, csr_insn(number, funct3, A0, rs1));

                    EXPECT_EQ(done, exists, "csr %x funct3 %u mode %u rs1 %u", number, funct3,
                              modes[m], rs1);
                    if (!done) {
                        EXPECT_EQ(r->v->f.x[A0], 77, "csr %x: refused, but wrote rd", number);
                        assert_memory_equal(&before, &r->v->csr, sizeof before);
                    }
                }
}

TEST(rows_have_distinct_numbers_and_are_found)
{
    for (size_t i = 0; i < csr_n_rows; i++)
        assert_ptr_equal(csr_find(csr_rows[i].number), &csr_rows[i]);
    assert_null(csr_find(4096));
    assert_null(csr_find(~0u));
}

TEST(reset_values_are_legal)
{
    for (size_t i = 0; i < csr_n_rows; i++) {
        const struct csr_row *row = &csr_rows[i];
        u64                   seen;

        vcpu_reset(r->v);
        r->v->mode = MODE_M;
        seen       = csr_get(r->v, row);
        if (!row->writable || CSR_NUMBER_READ_ONLY(row->number))
            continue;
        csr_put(row->number, seen);
        EXPECT_EQ(csr_get(r->v, row), seen, "%s: its reset value does not survive being written",
                  row->name);
    }
}

// A write changes, of what can be seen, only bits that the row calls writable (and SD, which
// follows).
TEST(writes_change_only_writable_bits)
{
    u64 seed = 1;

    for (size_t i = 0; i < csr_n_rows; i++)
        for (int n = 0; n < 200; n++) {
            const struct csr_row *row = &csr_rows[i];
            u64                   before, after, allowed = row->writable;

            if (CSR_NUMBER_READ_ONLY(row->number))
                break;
            if (row->writable & STATUS_FS && row->live)
                allowed |= STATUS_SD;
            r->v->mode = MODE_M;
            csr_put(row->number, dice(&seed));
            before = csr_get(r->v, row);
            csr_put(row->number, dice(&seed));
            after = csr_get(r->v, row);
            EXPECT_EQ((before ^ after) & ~allowed, 0, "%s", row->name);
        }
}

// All that is plainly readable and writable takes every value.
TEST(plain_registers_hold_anything)
{
    static const unsigned plain[] = { CSR_SSCRATCH, CSR_SCAUSE, CSR_STVAL, CSR_STIMECMP };
    u64                   seed    = 2;

    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        for (int n = 0; n < 100; n++) {
            u64 value = dice(&seed), seen;

            csr_put(plain[i], value);
            EXPECT_EQ(csr_see(plain[i]), value, "csr %x", plain[i]);
            assert_true(csr_op(plain[i], CSR_OP_SET, 0xf0f0, &seen));
            EXPECT_EQ(seen, value, "set shows the old value");
            EXPECT_EQ(csr_see(plain[i]), value | 0xf0f0, "set");
            assert_true(csr_op(plain[i], CSR_OP_CLEAR, 0xff00, &seen));
            EXPECT_EQ(csr_see(plain[i]), (value | 0xf0f0) & ~0xff00ul, "clear");
        }
}

TEST(immediate_forms)
{
    csr_put(CSR_SSCRATCH, 0x100);
    assert_true(csr_execute(r->v, csr_insn(CSR_SSCRATCH, 5, A0, 31)));
    EXPECT_EQ(r->v->f.x[A0], 0x100, "csrrwi");
    EXPECT_EQ(csr_see(CSR_SSCRATCH), 31, "csrrwi");
    assert_true(csr_execute(r->v, csr_insn(CSR_SSCRATCH, 7, A0, 1)));
    EXPECT_EQ(csr_see(CSR_SSCRATCH), 30, "csrrci");
    assert_true(csr_execute(r->v, csr_insn(CSR_SSCRATCH, 6, A0, 1)));
    EXPECT_EQ(csr_see(CSR_SSCRATCH), 31, "csrrsi");
    assert_true(csr_execute(r->v, csr_insn(CSR_SSCRATCH, 5, A0, 0)));
    EXPECT_EQ(csr_see(CSR_SSCRATCH), 0, "csrrwi 0 writes");
}

TEST(rd_is_x0_or_also_the_source)
{
    csr_put(CSR_SSCRATCH, 5);
    assert_true(csr_execute(r->v, csr_insn(CSR_SSCRATCH, CSR_OP_WRITE, 0, A1)));
    EXPECT_EQ(r->v->f.x[0], 0, "x0 stays 0");
    r->v->f.x[A0] = 9;
    assert_true(csr_execute(r->v, csr_insn(CSR_SSCRATCH, CSR_OP_WRITE, A0, A0)));
    EXPECT_EQ(csr_see(CSR_SSCRATCH), 9, "a swap through one register");
}

TEST(sepc_is_even)
{
    csr_put(CSR_SEPC, ~0ul);
    EXPECT_EQ(csr_see(CSR_SEPC), ~1ul, "sepc");
}

TEST(stvec_modes)
{
    csr_put(CSR_STVEC, 0x80001000);
    EXPECT_EQ(csr_see(CSR_STVEC), 0x80001000, "direct");
    csr_put(CSR_STVEC, 0x80002001);
    EXPECT_EQ(csr_see(CSR_STVEC), 0x80002001, "vectored");
    for (u64 mode = 2; mode < 4; mode++) {
        csr_put(CSR_STVEC, 0x80003000 | mode);
        assert_true((csr_see(CSR_STVEC) & 3) < 2);
    }
}

// sstatus shows the fields of 4.1.1 and no others.
TEST(sstatus_is_a_view)
{
    u64 shown = STATUS_SIE | STATUS_SPIE | STATUS_SPP | STATUS_VS | STATUS_FS | STATUS_XS |
                STATUS_SUM | STATUS_MXR | STATUS_UXL | STATUS_SD | BIT(6);

    csr_put(CSR_SSTATUS, ~0ul);
    EXPECT_EQ(csr_see(CSR_SSTATUS) & ~shown, 0, "shown");
    EXPECT_EQ(field_get(csr_see(CSR_SSTATUS), STATUS_UXL), XL_64, "UXL");
    r->v->csr.mstatus |= STATUS_TVM | STATUS_TW | STATUS_MPP | STATUS_MIE;
    EXPECT_EQ(csr_see(CSR_SSTATUS) & ~shown, 0, "shown");
    csr_put(CSR_SSTATUS, 0);
    EXPECT_EQ(r->v->csr.mstatus & (STATUS_TVM | STATUS_TW | STATUS_MPP | STATUS_MIE),
              STATUS_TVM | STATUS_TW | STATUS_MPP | STATUS_MIE, "a write leaves what is not shown");
    EXPECT_EQ(field_get(csr_see(CSR_SSTATUS), STATUS_UXL), XL_64, "UXL");
}

TEST(fs_lives_in_the_hart)
{
    for (u64 fs = 0; fs < 4; fs++) {
        csr_put(CSR_SSTATUS, fs << 13);
        EXPECT_EQ(fake_hart.ext_status, fs << 13, "the hart's FS");
        EXPECT_EQ(field_get(csr_see(CSR_SSTATUS), STATUS_FS), fs, "as read");
        EXPECT_EQ(!!(csr_see(CSR_SSTATUS) & STATUS_SD), fs == EXT_DIRTY, "SD");
    }
    csr_put(CSR_SSTATUS, 1ul << 13);
    fake_hart.ext_status = STATUS_FS; // the guest used a floating-point register
    EXPECT_EQ(csr_see(CSR_SSTATUS) & (STATUS_FS | STATUS_SD), STATUS_FS | STATUS_SD, "dirty");
    // An unrelated change must not write an old FS back.
    assert_true(csr_op(CSR_SSTATUS, CSR_OP_SET, STATUS_SIE, NULL));
    EXPECT_EQ(fake_hart.ext_status, STATUS_FS, "a set of SIE keeps the hart's FS");
    assert_true(csr_op(CSR_SSTATUS, CSR_OP_CLEAR, STATUS_SIE, NULL));
    EXPECT_EQ(fake_hart.ext_status, STATUS_FS, "a clear of SIE keeps the hart's FS");
    csr_put(CSR_SSTATUS, STATUS_SD);
    EXPECT_EQ(csr_see(CSR_SSTATUS) & (STATUS_FS | STATUS_SD), 0, "SD cannot be written");
}

TEST(vs_is_absent_without_vectors)
{
    csr_put(CSR_SSTATUS, STATUS_VS);
    EXPECT_EQ(csr_see(CSR_SSTATUS) & STATUS_VS, 0, "VS is 0 on a hart without V");
    EXPECT_EQ(fake_hart.ext_status, 0, "VS never reaches the hart");
}

TEST(vs_and_fs_with_vectors)
{
    fake_hart.ext_has = STATUS_FS | STATUS_VS;
    r->vm.ext_bits    = STATUS_FS | STATUS_VS;
    for (u64 n = 0; n < 16; n++) {
        u64 bits = field_set(field_set(0, STATUS_FS, n & 3), STATUS_VS, n >> 2);

        csr_put(CSR_SSTATUS, bits);
        EXPECT_EQ(fake_hart.ext_status, bits, "the hart's FS and VS");
        EXPECT_EQ(!!(csr_see(CSR_SSTATUS) & STATUS_SD), (n & 3) == 3 || n >> 2 == 3, "SD");
    }
}

TEST(status_leaves_pending_bits)
{
    r->v->pending = 0;
    csr_put(CSR_SSTATUS, STATUS_SUM);
    assert_true(r->v->pending & PEND_FOLLOW);
    r->v->pending = 0;
    csr_put(CSR_SSTATUS, STATUS_SUM | STATUS_MXR);
    assert_true(r->v->pending & PEND_FOLLOW);
    r->v->pending = 0;
    csr_put(CSR_SSTATUS, STATUS_SUM | STATUS_MXR | STATUS_SPP);
    EXPECT_EQ(r->v->pending, 0, "nothing to do for SPP");
    csr_put(CSR_SIE, INT_S);
    r->v->irq_lines = BIT(IRQ_SEI);
    r->v->pending   = 0;
    csr_put(CSR_SSTATUS, STATUS_SIE);
    assert_true(r->v->pending & PEND_IRQ);
}

TEST(sie_is_a_view_of_mie)
{
    csr_put(CSR_SIE, ~0ul);
    EXPECT_EQ(csr_see(CSR_SIE), INT_S, "sie");
    r->v->mode = MODE_M;
    csr_put(0x304, ~0ul);
    r->v->mode = MODE_S;
    csr_put(CSR_SIE, 0);
    EXPECT_EQ(r->v->csr.mie, INT_M, "what sie does not show stays");
}

TEST(sip_only_ssip_is_writable)
{
    csr_put(CSR_SIP, ~0ul);
    EXPECT_EQ(csr_see(CSR_SIP), BIT(IRQ_SSI), "sip");
    r->v->irq_lines = BIT(IRQ_SEI) | BIT(IRQ_STI) | BIT(IRQ_MEI) | BIT(IRQ_MTI);
    EXPECT_EQ(csr_see(CSR_SIP), INT_S, "lines are seen, M's are not");
    csr_put(CSR_SIP, 0);
    EXPECT_EQ(csr_see(CSR_SIP), BIT(IRQ_SEI) | BIT(IRQ_STI), "a line cannot be cleared");
    r->v->irq_lines = 0;
    EXPECT_EQ(csr_see(CSR_SIP), 0, "and was not stored");
}

// Priv. 3.1.9: what a device holds up does not take part in the read-modify-write of csrrs and
// csrrc.
TEST(mip_set_starts_from_what_is_stored)
{
    u64 seen;

    r->v->mode      = MODE_M;
    r->v->irq_lines = BIT(IRQ_SEI);
    assert_true(csr_op(0x344, CSR_OP_SET, BIT(IRQ_SSI), &seen));
    EXPECT_EQ(seen, BIT(IRQ_SEI), "a read shows the line");
    r->v->irq_lines = 0;
    EXPECT_EQ(csr_see(0x344), BIT(IRQ_SSI), "and a set does not store it");
}

// 4.1.11: a mode that the hart lacks makes the whole write void.
TEST(satp_is_warl)
{
    u64 good = field_set(field_set(0x80123, SATP_ASID, 7), SATP_MODE, SATP_SV39);

    csr_put(CSR_SATP, good);
    EXPECT_EQ(csr_see(CSR_SATP), good, "Sv39");
    for (u64 mode = 0; mode < 16; mode++) {
        u64  to     = field_set(field_set(0x99, SATP_ASID, 3), SATP_MODE, mode);
        bool exists = mode == SATP_BARE || (mode >= SATP_SV39 && mode <= SATP_SV57);

        csr_put(CSR_SATP, good);
        r->v->pending = 0;
        csr_put(CSR_SATP, to);
        EXPECT_EQ(csr_see(CSR_SATP), exists ? to : good, "satp mode %lu", (unsigned long)mode);
        EXPECT_EQ(!!(r->v->pending & PEND_FOLLOW), exists, "the hart follows");
    }
    r->vm.satp_modes = (u16)BIT(SATP_SV39);
    csr_put(CSR_SATP, good);
    csr_put(CSR_SATP, field_set(0, SATP_MODE, SATP_SV48));
    EXPECT_EQ(csr_see(CSR_SATP), good, "no Sv48 here");
}

TEST(satp_asid_is_as_wide_as_the_harts)
{
    for (unsigned bits = 0; bits <= 16; bits++) {
        hart_caps.asid_bits = bits;
        csr_put(CSR_SATP, field_set(SATP_ASID, SATP_MODE, SATP_SV39));
        EXPECT_EQ(field_get(csr_see(CSR_SATP), SATP_ASID), BIT(bits) - 1, "%u bits", bits);
    }
}

TEST(counters_close_to_users)
{
    r->v->mode = MODE_S;
    csr_put(CSR_SCOUNTEREN, 0);
    assert_true(csr_op(CSR_TIME, CSR_OP_SET, 0, NULL) == false); // csrrs with a register writes
    EXPECT_EQ(csr_see(CSR_TIME), 1000, "time, from vS");
    r->v->mode = MODE_U;
    assert_false(csr_execute(r->v, csr_insn(CSR_TIME, CSR_OP_SET, A0, 0)));
    r->v->mode = MODE_S;
    csr_put(CSR_SCOUNTEREN, COUNTEREN_TM);
    r->v->mode = MODE_U;
    EXPECT_EQ(csr_see(CSR_TIME), 1000, "time, from vU");
}

TEST(masks_of_the_hart)
{
    hart_caps.scounteren_mask = 0x5;
    hart_caps.senvcfg_mask    = 0xf1;
    csr_put(CSR_SCOUNTEREN, ~0ul);
    EXPECT_EQ(csr_see(CSR_SCOUNTEREN), 5, "scounteren");
    csr_put(CSR_SENVCFG, ~0ul);
    EXPECT_EQ(csr_see(CSR_SENVCFG), 0xf1, "senvcfg");
}

TEST(rows_need_their_extension)
{
    for (size_t i = 0; i < csr_n_rows; i++) {
        const struct csr_row *row = &csr_rows[i];

        r->v->mode      = MODE_M;
        machine.isa.has = ~0u;
        assert_true(csr_execute(r->v, csr_insn(row->number, CSR_OP_SET, A0, 0)));
        machine.isa.has = 0;
        EXPECT_EQ(csr_execute(r->v, csr_insn(row->number, CSR_OP_SET, A0, 0)), !row->needs, "%s",
                  row->name);
    }
}

TEST(stimecmp_moves_the_timer)
{
    fake_hart.time = 5000;
    csr_put(CSR_STIMECMP, 6000);
    EXPECT_EQ(csr_see(CSR_SIP), 0, "not yet");
    csr_put(CSR_STIMECMP, 5000);
    EXPECT_EQ(csr_see(CSR_SIP), BIT(IRQ_STI), "time >= stimecmp");
    csr_put(CSR_STIMECMP, ~0ul);
    EXPECT_EQ(csr_see(CSR_SIP), 0, "never");
}

// What the hart does to a process is what its kernel wants; to the kernel, what a hart in S does: all
// that there is, but no fence of devices where memory alone is meant (ENVCFG_FIOM).
TEST(envcfg_is_that_of_the_mode)
{
    r->v->csr.senvcfg = ENVCFG_FIOM | ENVCFG_CBZE;
    r->v->engine->load(r->v);
    EXPECT_EQ(fake_hart.senvcfg, hart_caps.senvcfg_mask & ~ENVCFG_FIOM, "the kernel, loaded");
    r->v->mode = MODE_U;
    r->v->engine->follow(r->v);
    EXPECT_EQ(fake_hart.senvcfg, ENVCFG_FIOM | ENVCFG_CBZE, "the process, followed");
    r->v->csr.senvcfg = 0;
    r->v->engine->follow(r->v);
    EXPECT_EQ(fake_hart.senvcfg, 0, "changed");
    r->v->mode = MODE_S;
    r->v->engine->follow(r->v);
    EXPECT_EQ(fake_hart.senvcfg, hart_caps.senvcfg_mask & ~ENVCFG_FIOM, "the kernel, followed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(all_numbers_all_ops_all_modes),
        RUN_ON_RIG(rows_have_distinct_numbers_and_are_found),
        RUN_ON_RIG(reset_values_are_legal),
        RUN_ON_RIG(writes_change_only_writable_bits),
        RUN_ON_RIG(plain_registers_hold_anything),
        RUN_ON_RIG(immediate_forms),
        RUN_ON_RIG(rd_is_x0_or_also_the_source),
        RUN_ON_RIG(sepc_is_even),
        RUN_ON_RIG(stvec_modes),
        RUN_ON_RIG(sstatus_is_a_view),
        RUN_ON_RIG(fs_lives_in_the_hart),
        RUN_ON_RIG(vs_is_absent_without_vectors),
        RUN_ON_RIG(vs_and_fs_with_vectors),
        RUN_ON_RIG(status_leaves_pending_bits),
        RUN_ON_RIG(sie_is_a_view_of_mie),
        RUN_ON_RIG(sip_only_ssip_is_writable),
        RUN_ON_RIG(mip_set_starts_from_what_is_stored),
        RUN_ON_RIG(satp_is_warl),
        RUN_ON_RIG(satp_asid_is_as_wide_as_the_harts),
        RUN_ON_RIG(counters_close_to_users),
        RUN_ON_RIG(masks_of_the_hart),
        RUN_ON_RIG(rows_need_their_extension),
        RUN_ON_RIG(stimecmp_moves_the_timer),
        RUN_ON_RIG(envcfg_is_that_of_the_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// Traps into vS and back: every combination of what they depend on (Priv. 1.12, 3.1.6.1 and 4.1).
#include "on_rig.h"

static u64 status_of(unsigned bits)
{
    return (bits & 1 ? STATUS_SIE : 0) | (bits & 2 ? STATUS_SPIE : 0) |
           (bits & 4 ? STATUS_SPP : 0) | (bits & 8 ? STATUS_SUM : 0) | (bits & 16 ? STATUS_MXR : 0);
}

static void vcpu_set(enum mode mode, u64 status, u64 stvec)
{
    r->v->mode        = mode;
    r->v->csr.mstatus = status | XL_64 << 32;
    r->v->csr.stvec   = stvec;
    r->v->f.pc        = 0x1234;
    r->v->pending     = 0;
}

TEST(exceptions)
{
    for (unsigned cause = 0; cause < 16; cause++)
        for (unsigned bits = 0; bits < 32; bits++)
            for (unsigned n = 0; n < 4; n++) {
                enum mode mode = n & 1 ? MODE_S : MODE_U;

                vcpu_set(mode, status_of(bits), 0x80001000 | (n >> 1));
                (void)raise(r->v, cause, 0xabc);
                vcpu_take_exception(r->v);

                u64 status = r->v->csr.mstatus;

                EXPECT_EQ(r->v->mode, MODE_S, "mode");
                EXPECT_EQ(r->v->f.pc, 0x80001000, "exceptions go to the base, vectored or not");
                EXPECT_EQ(r->v->csr.sepc, 0x1234, "sepc");
                EXPECT_EQ(r->v->csr.scause, cause, "scause");
                EXPECT_EQ(r->v->csr.stval, 0xabc, "stval");
                EXPECT_EQ(status & STATUS_SIE, 0, "SIE");
                EXPECT_EQ(!!(status & STATUS_SPIE), bits & 1, "SPIE is the old SIE");
                EXPECT_EQ(!!(status & STATUS_SPP), mode == MODE_S, "SPP is the old mode");
                EXPECT_EQ((status ^ status_of(bits)) & (STATUS_SUM | STATUS_MXR), 0,
                          "SUM and MXR stay");
                EXPECT_EQ(!!(r->v->pending & PEND_FOLLOW), mode == MODE_U,
                          "the hart follows a change of mode");
            }
}

TEST(sret)
{
    for (unsigned bits = 0; bits < 32; bits++)
        for (unsigned irq = 0; irq < 2; irq++) {
            unsigned dropped = fake_hart.n_reservation;

            vcpu_set(MODE_S, status_of(bits), 0);
            r->v->csr.sepc  = 0x5678;
            r->v->csr.mie   = INT_S;
            r->v->irq_lines = irq ? BIT(IRQ_SEI) : 0;
            vcpu_return_from_s(r->v);

            u64 status = r->v->csr.mstatus;

            EXPECT_EQ(r->v->mode, bits & 4 ? MODE_S : MODE_U, "mode is SPP");
            EXPECT_EQ(r->v->f.pc, 0x5678, "pc");
            EXPECT_EQ(!!(status & STATUS_SIE), !!(bits & 2), "SIE is SPIE");
            EXPECT_EQ(!!(status & STATUS_SPIE), 1, "SPIE is 1");
            EXPECT_EQ(status & STATUS_SPP, 0, "SPP is U");
            EXPECT_EQ((status ^ status_of(bits)) & (STATUS_SUM | STATUS_MXR), 0,
                      "SUM and MXR stay");
            if (irq)
                assert_true(r->v->pending & PEND_IRQ);
            if (!(bits & 4))
                assert_true(fake_hart.n_reservation > dropped && r->v->pending & PEND_FOLLOW);
        }
}

// 3.1.9 and 4.1.3: SEI before SSI before STI, and when they are taken at all.
TEST(interrupts)
{
    static const unsigned numbers[] = { IRQ_SEI, IRQ_SSI, IRQ_STI };

    for (unsigned lines = 0; lines < 8; lines++)
        for (unsigned enabled = 0; enabled < 8; enabled++)
            for (unsigned n = 0; n < 8; n++) {
                enum mode mode = n & 1 ? MODE_S : MODE_U;
                unsigned  want = 0;

                vcpu_set(mode, n & 2 ? STATUS_SIE : 0, 0x80001000 | (n >> 2));
                r->v->csr.mip = r->v->csr.mie = r->v->irq_lines = 0;
                for (unsigned i = 0; i < 3; i++) {
                    if (lines & 1u << i && numbers[i] == IRQ_SSI)
                        r->v->csr.mip |= BIT(numbers[i]);
                    else if (lines & 1u << i)
                        r->v->irq_lines |= BIT(numbers[i]);
                    r->v->csr.mie |= enabled & 1u << i ? BIT(numbers[i]) : 0;
                    if (!want && lines & enabled & 1u << i)
                        want = numbers[i];
                }
                if (mode == MODE_S && !(n & 2))
                    want = 0;
                vcpu_take_interrupt(r->v);
                if (!want) {
                    EXPECT_EQ(r->v->f.pc, 0x1234, "none is taken");
                    EXPECT_EQ(r->v->mode, mode, "none is taken");
                    continue;
                }
                EXPECT_EQ(r->v->csr.scause, CAUSE_INTERRUPT | want, "scause");
                EXPECT_EQ(r->v->csr.stval, 0, "stval");
                EXPECT_EQ(r->v->csr.sepc, 0x1234, "sepc");
                EXPECT_EQ(r->v->f.pc, 0x80001000 + (n >> 2 ? 4 * want : 0), "pc");
            }
}

TEST(machine_interrupts_are_not_taken_in_s)
{
    vcpu_set(MODE_S, STATUS_SIE, 0x80001000);
    r->v->csr.mie   = INT_S | INT_M;
    r->v->irq_lines = INT_M;
    vcpu_take_interrupt(r->v);
    EXPECT_EQ(r->v->f.pc, 0x1234, "pc");
}

TEST(lines)
{
    r->v->pending = 0;
    vcpu_line_set(r->v, BIT(IRQ_SEI), false);
    EXPECT_EQ(r->v->pending, 0, "a line that falls needs nobody");
    vcpu_line_set(r->v, BIT(IRQ_SEI), true);
    assert_true(r->v->pending & PEND_IRQ);
    EXPECT_EQ(r->v->irq_lines, BIT(IRQ_SEI), "up");
    vcpu_line_set(r->v, BIT(IRQ_STI), true);
    vcpu_line_set(r->v, BIT(IRQ_SEI), false);
    EXPECT_EQ(r->v->irq_lines, BIT(IRQ_STI), "one at a time");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(exceptions), RUN_ON_RIG(sret),
        RUN_ON_RIG(interrupts), RUN_ON_RIG(machine_interrupts_are_not_taken_in_s),
        RUN_ON_RIG(lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

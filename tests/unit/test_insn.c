// SPDX-License-Identifier: MIT
// The instruction table against a decoder that was written from the manual's listings alone.
#include "unit.h"

#include "isa/insn.h"

static u32 bits(u32 raw, int hi, int lo)
{
    u32 value = 0;

    for (int n = hi; n >= lo; n--)
        value = value << 1 | (raw >> n & 1);
    return value;
}

struct want {
    int  op, width;
    bool sign;
    int  rd, rs1, rs2, imm; // -1: the operation has none
};
#define NOTHING   ((struct want){ OP_OTHER, 0, false, -1, -1, -1, 0 })
#define FP        ((struct want){ OP_FP, 0, false, -1, -1, -1, 0 })
#define PLAIN(op) ((struct want){ op, 0, false, -1, -1, -1, 0 })

static struct want load(int width, bool sign, u32 rd, u32 rs1, s32 imm)
{
    return (struct want){ OP_LOAD, width, sign, (int)rd, (int)rs1, -1, imm };
}

static struct want store(int width, u32 rs2, u32 rs1, s32 imm)
{
    return (struct want){ OP_STORE, width, false, -1, (int)rs1, (int)rs2, imm };
}

// "C" and "Zcb": quadrants 0 and 2; quadrant 1 has no memory access.
static struct want quadrant_0(u32 c)
{
    u32 rs1 = 8 + bits(c, 9, 7), rd = 8 + bits(c, 4, 2);
    u32 word  = bits(c, 5, 5) << 6 | bits(c, 12, 10) << 3 | bits(c, 6, 6) << 2;
    u32 dword = bits(c, 6, 5) << 6 | bits(c, 12, 10) << 3,
        byte  = bits(c, 5, 5) << 1 | bits(c, 6, 6);

    switch (bits(c, 15, 13)) {
    case 1: return FP;
    case 2: return load(4, true, rd, rs1, (s32)word);
    case 3: return load(8, true, rd, rs1, (s32)dword);
    case 4:
        switch (bits(c, 12, 10)) {
        case 0:  return load(1, false, rd, rs1, (s32)byte);
        case 1:  return load(2, bits(c, 6, 6), rd, rs1, (s32)bits(c, 5, 5) << 1);
        case 2:  return store(1, rd, rs1, (s32)byte);
        case 3:  return bits(c, 6, 6) ? NOTHING : store(2, rd, rs1, (s32)bits(c, 5, 5) << 1);
        default: return NOTHING;
        }
    case 5:  return FP;
    case 6:  return store(4, rd, rs1, (s32)word);
    case 7:  return store(8, rd, rs1, (s32)dword);
    default: return NOTHING;
    }
}

static struct want quadrant_2(u32 c)
{
    u32 rd = bits(c, 11, 7), rs2 = bits(c, 6, 2);

    switch (bits(c, 15, 13)) {
    case 1: return FP;
    case 2:
        return load(4, true, rd, 2,
                    (s32)(bits(c, 3, 2) << 6 | bits(c, 12, 12) << 5 | bits(c, 6, 4) << 2));
    case 3:
        return load(8, true, rd, 2,
                    (s32)(bits(c, 4, 2) << 6 | bits(c, 12, 12) << 5 | bits(c, 6, 5) << 3));
    case 4:  return bits(c, 12, 12) && !rd && !rs2 ? PLAIN(OP_EBREAK) : NOTHING;
    case 5:  return FP;
    case 6:  return store(4, rs2, 2, (s32)(bits(c, 8, 7) << 6 | bits(c, 12, 9) << 2));
    case 7:  return store(8, rs2, 2, (s32)(bits(c, 9, 7) << 6 | bits(c, 12, 10) << 3));
    default: return NOTHING;
    }
}

static struct want system_insn(u32 i)
{
    static const struct {
        u32 raw;
        int op;
    } whole[] = {
        { 0x00000073, OP_ECALL },
        { 0x00100073, OP_EBREAK },
        { 0x10200073, OP_SRET },
        { 0x30200073, OP_MRET },
        { 0x10500073, OP_WFI },
        { 0x18000073, OP_SFENCE_W_INVAL },
        { 0x18100073, OP_SFENCE_INVAL_IR },
    };

    if (bits(i, 14, 12) == 4)
        return NOTHING;
    if (bits(i, 14, 12))
        return (struct want){
            OP_CSR, 0, false, (int)bits(i, 11, 7), (int)bits(i, 19, 15), -1, (int)bits(i, 31, 20)
        };
    for (size_t n = 0; n < ARRAY_LEN(whole); n++)
        if (i == whole[n].raw)
            return PLAIN(whole[n].op);
    if (bits(i, 11, 7) == 0 && (bits(i, 31, 25) == 9 || bits(i, 31, 25) == 11))
        return (struct want){ bits(i, 31, 25) == 9 ? OP_SFENCE_VMA : OP_SINVAL_VMA,
                              0,
                              false,
                              -1,
                              (int)bits(i, 19, 15),
                              (int)bits(i, 24, 20),
                              0 };
    return NOTHING;
}

static struct want reference(u32 i)
{
    u32 f3 = bits(i, 14, 12), rd = bits(i, 11, 7), rs1 = bits(i, 19, 15), rs2 = bits(i, 24, 20);
    s32 high = (s32)bits(i, 31, 31) * -2048, i_imm = high + (s32)bits(i, 30, 20);
    s32 s_imm = high + (s32)(bits(i, 30, 25) << 5 | bits(i, 11, 7));

    if (bits(i, 1, 0) == 0)
        return quadrant_0(i);
    if (bits(i, 1, 0) == 1)
        return NOTHING;
    if (bits(i, 1, 0) == 2)
        return quadrant_2(i);
    switch (bits(i, 6, 0)) {
    case 0x03: return f3 == 7 ? NOTHING : load(1 << (f3 & 3), f3 < 4, rd, rs1, i_imm);
    case 0x23: return f3 > 3 ? NOTHING : store(1 << f3, rs2, rs1, s_imm);
    case 0x07:
    case 0x27: return FP;
    case 0x2f:
        return f3 == 2 || f3 == 3 ? (struct want){ OP_ATOMIC, 1 << f3, true, -1, -1, -1, 0 }
                                  : NOTHING;
    case 0x73: return system_insn(i);
    default:   return NOTHING;
    }
}

static void compare(u32 raw)
{
    struct insn got  = insn_decode(raw);
    struct want want = reference(raw);

    EXPECT_EQ(got.len, (raw & 3) == 3 ? 4 : 2, "length of %x", raw);
    EXPECT_EQ(got.raw, got.len == 2 ? raw & 0xffff : raw, "raw of %x", raw);
    EXPECT_EQ(got.op, want.op, "op of %x", raw);
    if (want.op == OP_LOAD || want.op == OP_STORE)
        EXPECT_EQ(got.width, want.width, "width of %x", raw);
    if (want.op == OP_LOAD)
        EXPECT_EQ(got.sign, want.sign, "sign of %x", raw);
    if (want.rd >= 0)
        EXPECT_EQ(got.rd, want.rd, "rd of %x", raw);
    if (want.rs1 >= 0)
        EXPECT_EQ(got.rs1, want.rs1, "rs1 of %x", raw);
    if (want.rs2 >= 0)
        EXPECT_EQ(got.rs2, want.rs2, "rs2 of %x", raw);
    if (want.op == OP_LOAD || want.op == OP_STORE || want.op == OP_CSR)
        EXPECT_EQ((s64)got.imm, want.imm, "imm of %x", raw);
}

TEST(all_compressed)
{
    for (u32 raw = 0; raw < 0x10000; raw++)
        if ((raw & 3) != 3) {
            compare(raw);
            compare(raw | 0xabcd0000);
        }
}

TEST(all_system)
{
    for (u32 high = 0; high < 1u << 25; high += 1 + (high % 7 == 0)) // rd, funct3, rs1, rs2, funct7
        if (high < 1u << 16 || high % 61 == 0)
            compare(high << 7 | 0x73);
    for (u32 number = 0; number < 4096; number++)
        for (u32 f3 = 0; f3 < 8; f3++)
            compare(number << 20 | f3 << 12 | 0x73);
}

TEST(random_words)
{
    u64 seed = 3;

    for (int n = 0; n < 1000000; n++) {
        u32 raw = (u32)dice(&seed);

        compare(raw);
    }
    for (int n = 0; n < 1000000; n++) {
        static const u32 opcodes[] = { 0x03, 0x07, 0x23, 0x27, 0x2f, 0x73 };

        compare(((u32)dice(&seed) & ~0x7fu) | opcodes[dice_below(&seed, ARRAY_LEN(opcodes))]);
    }
}

// What a row says, comes out; and no earlier row hides all of it.
TEST(every_row_is_reached)
{
    u64 seed = 4;

    for (size_t i = 0; i < insn_n_rows; i++) {
        const struct insn_row *row     = &insn_rows[i];
        bool                   reached = false;

        EXPECT_EQ(row->match & ~row->mask, 0, "row %zu matches nothing", i);
        for (int n = 0; n < 1000 && !reached; n++) {
            u32    raw   = ((u32)dice(&seed) & ~row->mask) | row->match;
            size_t first = 0;

            while ((raw & insn_rows[first].mask) != insn_rows[first].match)
                first++;
            reached = first == i;

            struct insn got = insn_decode(raw);

            if (reached) {
                EXPECT_EQ(got.op, row->op, "row %zu", i);
                EXPECT_EQ(got.width, row->width, "row %zu", i);
            }
        }
        EXPECT_EQ(reached, true, "row %zu is hidden by earlier ones", i);
    }
}

TEST(csr_predicate)
{
    for (u32 f3 = 0; f3 < 8; f3++)
        EXPECT_EQ(insn_is_csr(0x30000073 | f3 << 12), f3 != 0 && f3 != 4, "funct3 %u", f3);
    assert_false(insn_is_csr(0x30001013));
    assert_false(insn_is_csr(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(all_compressed),       RUN(all_system),    RUN(random_words),
        RUN(every_row_is_reached), RUN(csr_predicate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

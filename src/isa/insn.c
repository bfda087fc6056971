// SPDX-License-Identifier: MIT
// The instruction table: from 32 bits to what the monitor needs to know of them.
//
// In:     the instruction as it stands in memory (upper half ignored if it is compressed).
// Out:    a struct insn.
// Always: pure; total: every value decodes, most to OP_OTHER.
#include "isa/insn.h"

#include "lib/bits.h"

// Where an instruction keeps its registers and its displacement.
enum form {
    FORM_R,
    FORM_I,
    FORM_S,
    FORM_CL4,
    FORM_CL8,
    FORM_CS4,
    FORM_CS8,
    FORM_LSP4,
    FORM_LSP8,
    FORM_SSP4,
    FORM_SSP8,
    FORM_CLB,
    FORM_CLH,
    FORM_CSB,
    FORM_CSH
};

// clang-format off
// What traps most often stands first, and where a device's registers are touched it is remembered
// (vm/memo.c).
const struct insn_row insn_rows[] = {
    //  mask        match       op                  width  sign   form
    { 0xfe007fff, 0x12000073, OP_SFENCE_VMA,      0,     false, FORM_R    },
    { 0xffffffff, 0x10500073, OP_WFI,             0,     false, FORM_R    },
    { 0x0000107f, 0x00001073, OP_CSR,             0,     false, FORM_R    },   // csrrw, csrrc, ...i
    { 0x0000307f, 0x00002073, OP_CSR,             0,     false, FORM_R    },   // csrrs, csrrsi
    { 0x0000707f, 0x00004003, OP_LOAD,            1,     false, FORM_I    },   // lbu
    { 0x0000707f, 0x00000023, OP_STORE,           1,     false, FORM_S    },   // sb
    { 0x0000707f, 0x00002003, OP_LOAD,            4,     true,  FORM_I    },   // lw
    { 0x0000707f, 0x00002023, OP_STORE,           4,     false, FORM_S    },   // sw
    { 0x0000e003, 0x00004000, OP_LOAD,            4,     true,  FORM_CL4  },   // c.lw
    { 0x0000e003, 0x0000c000, OP_STORE,           4,     false, FORM_CS4  },   // c.sw
    { 0x0000707f, 0x00000003, OP_LOAD,            1,     true,  FORM_I    },   // lb
    { 0x0000707f, 0x00001003, OP_LOAD,            2,     true,  FORM_I    },   // lh
    { 0x0000707f, 0x00003003, OP_LOAD,            8,     true,  FORM_I    },   // ld
    { 0x0000707f, 0x00005003, OP_LOAD,            2,     false, FORM_I    },   // lhu
    { 0x0000707f, 0x00006003, OP_LOAD,            4,     false, FORM_I    },   // lwu
    { 0x0000707f, 0x00001023, OP_STORE,           2,     false, FORM_S    },   // sh
    { 0x0000707f, 0x00003023, OP_STORE,           8,     false, FORM_S    },   // sd
    { 0x0000e003, 0x00006000, OP_LOAD,            8,     true,  FORM_CL8  },   // c.ld
    { 0x0000e003, 0x0000e000, OP_STORE,           8,     false, FORM_CS8  },   // c.sd
    { 0x0000e003, 0x00004002, OP_LOAD,            4,     true,  FORM_LSP4 },   // c.lwsp
    { 0x0000e003, 0x00006002, OP_LOAD,            8,     true,  FORM_LSP8 },   // c.ldsp
    { 0x0000e003, 0x0000c002, OP_STORE,           4,     false, FORM_SSP4 },   // c.swsp
    { 0x0000e003, 0x0000e002, OP_STORE,           8,     false, FORM_SSP8 },   // c.sdsp
    { 0x0000fc03, 0x00008000, OP_LOAD,            1,     false, FORM_CLB  },   // c.lbu
    { 0x0000fc43, 0x00008400, OP_LOAD,            2,     false, FORM_CLH  },   // c.lhu
    { 0x0000fc43, 0x00008440, OP_LOAD,            2,     true,  FORM_CLH  },   // c.lh
    { 0x0000fc03, 0x00008800, OP_STORE,           1,     false, FORM_CSB  },   // c.sb
    { 0x0000fc43, 0x00008c00, OP_STORE,           2,     false, FORM_CSH  },   // c.sh
    { 0x0000007f, 0x00000007, OP_FP,              0,     false, FORM_I    },   // flw, fld, vector
    { 0x0000007f, 0x00000027, OP_FP,              0,     false, FORM_S    },   // fsw, fsd, vector
    { 0x00006003, 0x00002000, OP_FP,              8,     false, FORM_CL8  },   // c.fld, c.fsd
    { 0x00006003, 0x00002002, OP_FP,              8,     false, FORM_LSP8 },   // c.fldsp, c.fsdsp
    { 0x0000707f, 0x0000202f, OP_ATOMIC,          4,     true,  FORM_R    },   // lr.w, sc.w, amo*.w
    { 0x0000707f, 0x0000302f, OP_ATOMIC,          8,     true,  FORM_R    },   // lr.d, sc.d, amo*.d
    { 0xffffffff, 0x00000073, OP_ECALL,           0,     false, FORM_R    },
    { 0xffffffff, 0x00100073, OP_EBREAK,          0,     false, FORM_R    },
    { 0x0000ffff, 0x00009002, OP_EBREAK,          0,     false, FORM_R    },   // c.ebreak
    { 0xffffffff, 0x10200073, OP_SRET,            0,     false, FORM_R    },
    { 0xffffffff, 0x30200073, OP_MRET,            0,     false, FORM_R    },
    { 0xfe007fff, 0x16000073, OP_SINVAL_VMA,      0,     false, FORM_R    },
    { 0xffffffff, 0x18000073, OP_SFENCE_W_INVAL,  0,     false, FORM_R    },
    { 0xffffffff, 0x18100073, OP_SFENCE_INVAL_IR, 0,     false, FORM_R    },
};
// clang-format on
const size_t insn_n_rows = ARRAY_LEN(insn_rows);

#define REG_SP 2

static u32 at(u32 raw, unsigned hi, unsigned lo, unsigned to)
{
    return ((raw >> lo) & ((2u << (hi - lo)) - 1)) << to;
}

// rd', rs1', rs2' of compressed instructions name x8 to x15.
static void operands_cl(struct insn *i, u32 imm)
{
    i->rs1 = 8 + ((i->raw >> 7) & 7);
    i->rd = i->rs2 = 8 + ((i->raw >> 2) & 7);
    i->imm         = (s32)imm;
}

static void operands_sp(struct insn *i, u32 imm)
{
    i->rs1 = REG_SP;
    i->rd  = insn_rd(i->raw);
    i->rs2 = (i->raw >> 2) & 31;
    i->imm = (s32)imm;
}

static void operands_full(struct insn *i, s32 imm)
{
    i->rd  = insn_rd(i->raw);
    i->rs1 = insn_rs1(i->raw);
    i->rs2 = insn_rs2(i->raw);
    i->imm = imm;
}

static void operands_decode(struct insn *i, enum form form)
{
    u32 r = i->raw;

    // clang-format off
    switch (form) {
    case FORM_R:    operands_full(i, 0);                                                    break;
    case FORM_I:    operands_full(i, (s32)r >> 20);                                         break;
    case FORM_S:    operands_full(i, ((s32)(r & 0xfe000000) >> 20) | (s32)at(r, 11, 7, 0)); break;
    case FORM_CL4:
    case FORM_CS4:  operands_cl(i, at(r, 12, 10, 3) | at(r, 6, 6, 2) | at(r, 5, 5, 6));     break;
    case FORM_CL8:
    case FORM_CS8:  operands_cl(i, at(r, 12, 10, 3) | at(r, 6, 5, 6));                      break;
    case FORM_LSP4: operands_sp(i, at(r, 12, 12, 5) | at(r, 6, 4, 2) | at(r, 3, 2, 6));     break;
    case FORM_LSP8: operands_sp(i, at(r, 12, 12, 5) | at(r, 6, 5, 3) | at(r, 4, 2, 6));     break;
    case FORM_SSP4: operands_sp(i, at(r, 12, 9, 2) | at(r, 8, 7, 6));                       break;
    case FORM_SSP8: operands_sp(i, at(r, 12, 10, 3) | at(r, 9, 7, 6));                      break;
    case FORM_CLB:
    case FORM_CSB:  operands_cl(i, at(r, 6, 6, 0) | at(r, 5, 5, 1));                        break;
    case FORM_CLH:
    case FORM_CSH:  operands_cl(i, at(r, 5, 5, 1));                                         break;
    }
    // clang-format on
}

struct insn insn_decode(u32 raw)
{
    struct insn i = { .len = (u8)insn_len(raw) };

    i.raw = i.len == 2 ? raw & 0xffff : raw;
    for (const struct insn_row *r = insn_rows; r < insn_rows + ARRAY_LEN(insn_rows); r++) {
        if ((i.raw & r->mask) != r->match)
            continue;
        i.op    = r->op;
        i.width = r->width;
        i.sign  = r->sign;
        operands_decode(&i, r->form);
        if (i.op == OP_CSR)
            i.imm = (s32)(i.raw >> 20);
        break;
    }
    return i;
}

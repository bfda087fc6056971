// SPDX-License-Identifier: MIT
// Instruction words, for guests that build the code they run.  Registers are numbers (enum reg).
#pragma once

#include "guest.h"

enum {
    INSN_ECALL = 0x00000073,
    INSN_EBREAK = 0x00100073,
    INSN_SRET = 0x10200073,
    INSN_WFI = 0x10500073,
    INSN_FENCE_I = 0x0000100f,
    INSN_NOP = 0x00000013,
    INSN_SFENCE = 0x12000073,
};

enum { CSRRW = 1, CSRRS, CSRRC, CSRRWI = 5, CSRRSI, CSRRCI };

static inline u32 insn_r(u32 op, u32 funct3, u32 funct7, u32 rd, u32 rs1, u32 rs2)
{
    return op | rd << 7 | funct3 << 12 | rs1 << 15 | rs2 << 20 | funct7 << 25;
}

static inline u32 insn_i(u32 op, u32 funct3, u32 rd, u32 rs1, u32 imm)
{
    return op | rd << 7 | funct3 << 12 | rs1 << 15 | (imm & 0xfff) << 20;
}

static inline u32 insn_s(u32 op, u32 funct3, u32 rs1, u32 rs2, u32 imm)
{
    return op | (imm & 31) << 7 | funct3 << 12 | rs1 << 15 | rs2 << 20 | (imm >> 5 & 127) << 25;
}

static inline u32 insn_csr(u32 form, u32 rd, u32 csr, u32 rs1)
{
    return insn_i(0x73, form, rd, rs1, csr);
}

static inline u32 insn_addi(u32 rd, u32 rs1, u32 imm)
{
    return insn_i(0x13, 0, rd, rs1, imm);
}

// funct3: 0 lb, 1 lh, 2 lw, 3 ld, 4 lbu, 5 lhu, 6 lwu.
static inline u32 insn_load(u32 funct3, u32 rd, u32 rs1, u32 imm)
{
    return insn_i(0x03, funct3, rd, rs1, imm);
}

// funct3: 0 sb, 1 sh, 2 sw, 3 sd.
static inline u32 insn_store(u32 funct3, u32 rs2, u32 rs1, u32 imm)
{
    return insn_s(0x23, funct3, rs1, rs2, imm);
}

// funct3: 2 word, 3 double.  funct5: 0 add, 1 swap, 2 lr, 3 sc, 4 xor, 8 or, 12 and, ...
static inline u32 insn_amo(u32 funct5, u32 funct3, u32 rd, u32 rs1, u32 rs2)
{
    return insn_r(0x2f, funct3, funct5 << 2, rd, rs1, rs2);
}

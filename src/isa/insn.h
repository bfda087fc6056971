// SPDX-License-Identifier: MIT
// Instructions that the monitor must understand: those that touch memory and those of the SYSTEM
// opcode.  Unprivileged ISA, chapters "RV32I", "RV64I", "A", "C", "Zcb"; privileged ISA, 2 and 3.3.
#pragma once

#include "lib/types.h"

enum insn_op {
    OP_OTHER, // not ours: the guest's own affair
    OP_LOAD,
    OP_STORE,
    OP_FP,     // a floating-point load or store
    OP_ATOMIC, // LR, SC, AMO
    OP_CSR,
    OP_ECALL,
    OP_EBREAK,
    OP_SRET,
    OP_MRET,
    OP_WFI,
    OP_SFENCE_VMA,
    OP_SINVAL_VMA,
    OP_SFENCE_W_INVAL,
    OP_SFENCE_INVAL_IR,
    OP_COUNT,
};

struct insn {
    u32  raw;   // as it stands in memory; the upper half is 0 if compressed
    u8   len;   // 2 or 4 bytes; 0: there is none
    u8   op;    // enum insn_op
    u8   width; // of the memory access, in bytes
    bool sign;  // a load that extends the sign
    u8   rd;    // where a load or a CSR's old value goes
    u8   rs1;   // the base; or the CSR instruction's source register or 5-bit immediate
    u8   rs2;   // what is stored; or the ASID of a fence
    s32  imm;   // the displacement; or the CSR's number
};

// funct3 of the CSR instructions: bit 2 says "immediate", bits 1:0 the operation.
enum csr_op { CSR_OP_WRITE = 1, CSR_OP_SET = 2, CSR_OP_CLEAR = 3 };

static inline unsigned insn_len(u32 raw)
{
    return (raw & 3) == 3 ? 4 : 2;
}
static inline unsigned insn_funct3(u32 raw)
{
    return (raw >> 12) & 7;
}
static inline unsigned insn_rd(u32 raw)
{
    return (raw >> 7) & 31;
}
static inline unsigned insn_rs1(u32 raw)
{
    return (raw >> 15) & 31;
}
static inline unsigned insn_rs2(u32 raw)
{
    return (raw >> 20) & 31;
}
// Is it one of the six CSR instructions?
static inline bool insn_is_csr(u32 raw)
{
    return (raw & 0x7f) == 0x73 && (raw & 0x3000);
}

// Decodes one instruction; any 32 bits may come.
struct insn insn_decode(u32 raw);

// The rows, for tests.
struct insn_row {
    u32  mask, match;
    u8   op, width;
    bool sign;
    u8   form;
};
extern const struct insn_row insn_rows[];
extern const size_t          insn_n_rows;

// SPDX-License-Identifier: MIT
// A disassembler for what insn_decode() knows.
//
// In:     any 32 bits.
// Out:    one line of assembly; compressed instructions by the names of those that they stand for.
// Always: pure; total.
#include "isa/insn_text.h"

#include <stdio.h>

const char *const reg_names[32] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

static const char *const names[OP_COUNT] = {
    [OP_ECALL]           = "ecall",
    [OP_EBREAK]          = "ebreak",
    [OP_SRET]            = "sret",
    [OP_MRET]            = "mret",
    [OP_WFI]             = "wfi",
    [OP_SFENCE_VMA]      = "sfence.vma",
    [OP_SINVAL_VMA]      = "sinval.vma",
    [OP_SFENCE_W_INVAL]  = "sfence.w.inval",
    [OP_SFENCE_INVAL_IR] = "sfence.inval.ir",
};

static void text_csr(const struct insn *i, csr_name_fn *csr_name, char *to)
{
    static const char *const ops[4] = { "?", "csrrw", "csrrs", "csrrc" };
    unsigned                 op     = insn_funct3(i->raw);
    const char              *name   = csr_name((unsigned)i->imm);
    char                     number[12], immediate[4];

    snprintf(number, sizeof number, "0x%03x", (unsigned)i->imm);
    snprintf(immediate, sizeof immediate, "%u", i->rs1);
    snprintf(to, INSN_TEXT_SIZE, "%s%s %s, %s, %s", ops[op & 3], op & 4 ? "i" : "",
             reg_names[i->rd], name ? name : number, op & 4 ? immediate : reg_names[i->rs1]);
}

static void text_memory(const struct insn *i, char *to)
{
    static const char widths[9] = { [1] = 'b', [2] = 'h', [4] = 'w', [8] = 'd' };
    bool              is_load   = i->op == OP_LOAD;

    snprintf(to, INSN_TEXT_SIZE, "%c%c%s %s, %d(%s)", is_load ? 'l' : 's', widths[i->width],
             is_load && !i->sign ? "u" : "", reg_names[is_load ? i->rd : i->rs2], (int)i->imm,
             reg_names[i->rs1]);
}

const char *insn_text(u32 raw, csr_name_fn *csr_name, char to[INSN_TEXT_SIZE])
{
    struct insn i = insn_decode(raw);

    if (i.op == OP_CSR)
        text_csr(&i, csr_name, to);
    else if (i.op == OP_LOAD || i.op == OP_STORE)
        text_memory(&i, to);
    else if (i.op == OP_SFENCE_VMA || i.op == OP_SINVAL_VMA)
        snprintf(to, INSN_TEXT_SIZE, "%s %s, %s", names[i.op], reg_names[i.rs1], reg_names[i.rs2]);
    else if (names[i.op])
        snprintf(to, INSN_TEXT_SIZE, "%s", names[i.op]);
    else
        snprintf(to, INSN_TEXT_SIZE, i.len == 2 ? "0x%04x" : "0x%08x", (unsigned)i.raw);
    return to;
}

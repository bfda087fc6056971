// SPDX-License-Identifier: MIT
// Fuzzes the decoder and the reader of ISA strings: bytes -> instructions, bytes -> text.
#include "bytes.h"
#include "isa/ext.h"
#include "isa/insn.h"
#include "lib/panic.h"

static void insn_check(u32 raw)
{
    struct insn i = insn_decode(raw);

    ASSERT(i.len == (raw % 4 == 3 ? 4 : 2) && i.op < OP_COUNT);
    ASSERT(i.rd < 32 && i.rs1 < 32 && i.rs2 < 32);
    ASSERT(i.width <= 8 && !(i.width & (i.width - 1)));
    ASSERT(i.op != OP_LOAD || (i.imm >= -2048 && i.imm < 2048));
    ASSERT(insn_is_csr(raw) == (i.op == OP_CSR));
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct bytes b = { data, size };
    struct isa   isa;
    char         text[600] = "rv64";

    memcpy(text + 4, data, size < 590 ? size : 590);
    isa_filter(text, size & 1, &isa);
    ASSERT(strlen(isa.text) < ISA_TEXT_MAX && !strncmp(isa.text, "rv64", 4));
    while (b.left)
        insn_check((u32)bytes_take(&b, 4));
    return 0;
}

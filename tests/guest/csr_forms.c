// SPDX-License-Identifier: MIT
// The six CSR instructions: what is read, what is written, and when nothing is (rd = x0, rs1 = x0,
// an immediate of zero, the same register twice), on a plain register and on a read-only one.
// Shows: C1 C2
#include "insn.h"

// Runs one instruction in S-mode with a1 = 0xf0f0 and sscratch = `old`.
static void form_try(const char *text, u32 insn, u64 old)
{
    struct cpu c;
    u64        base = CODE(insn_csr(CSRRW, S2, CSR_SSCRATCH, S3), insn,
                           insn_csr(CSRRW, S4, CSR_SSCRATCH, S2), INSN_EBREAK);

    cpu_init(&c, MODE_S, base);
    c.x[A0] = 0xa0a0;
    c.x[A1] = 0xf0f0;
    c.x[A2] = 0;
    c.x[S3] = old;
    cpu_run(&c);
    if (c.cause == CAUSE_BREAKPOINT)
        printf("%s: a0 %#lx a1 %#lx sscratch %#lx\n", text, c.x[A0], c.x[A1], c.x[S4]);
    else
        cpu_print(text, &c, base);
}

// The same on a CSR that cannot be written; sscratch has to survive the trap, so it is not touched.
static void read_only_try(const char *text, u32 insn)
{
    struct cpu c;
    u64        base = CODE(insn, INSN_EBREAK);

    cpu_init(&c, MODE_S, base);
    c.x[A2] = 0;
    cpu_run(&c);
    cpu_print(text, &c, base);
    printf("  a0 %s\n", c.x[A0] == 0x0a0a0a0a0a0a0a0a ? "kept" : "changed");
}

GUEST(csr_forms)
{
    form_try("csrrw a0, a1", insn_csr(CSRRW, A0, CSR_SSCRATCH, A1), 0xff);
    form_try("csrrw x0, a1", insn_csr(CSRRW, ZERO, CSR_SSCRATCH, A1), 0xff);
    form_try("csrrw a0, x0", insn_csr(CSRRW, A0, CSR_SSCRATCH, ZERO), 0xff);
    form_try("csrrw a1, a1", insn_csr(CSRRW, A1, CSR_SSCRATCH, A1), 0xff);
    form_try("csrrs a0, a1", insn_csr(CSRRS, A0, CSR_SSCRATCH, A1), 0xff);
    form_try("csrrs a0, x0", insn_csr(CSRRS, A0, CSR_SSCRATCH, ZERO), 0xff);
    form_try("csrrs a0, a2", insn_csr(CSRRS, A0, CSR_SSCRATCH, A2), 0xff);
    form_try("csrrs x0, a1", insn_csr(CSRRS, ZERO, CSR_SSCRATCH, A1), 0xff);
    form_try("csrrs a1, a1", insn_csr(CSRRS, A1, CSR_SSCRATCH, A1), 0xff);
    form_try("csrrc a0, a1", insn_csr(CSRRC, A0, CSR_SSCRATCH, A1), 0xff);
    form_try("csrrc a1, a1", insn_csr(CSRRC, A1, CSR_SSCRATCH, A1), 0xff);
    form_try("csrrc x0, x0", insn_csr(CSRRC, ZERO, CSR_SSCRATCH, ZERO), 0xff);
    form_try("csrrwi a0, 31", insn_csr(CSRRWI, A0, CSR_SSCRATCH, 31), 0xff);
    form_try("csrrwi a0, 0", insn_csr(CSRRWI, A0, CSR_SSCRATCH, 0), 0xff);
    form_try("csrrwi x0, 16", insn_csr(CSRRWI, ZERO, CSR_SSCRATCH, 16), 0xff);
    form_try("csrrsi a0, 21", insn_csr(CSRRSI, A0, CSR_SSCRATCH, 21), 0x100);
    form_try("csrrsi a0, 0", insn_csr(CSRRSI, A0, CSR_SSCRATCH, 0), 0x100);
    form_try("csrrci a0, 31", insn_csr(CSRRCI, A0, CSR_SSCRATCH, 31), 0xff);
    form_try("csrrci x0, 1", insn_csr(CSRRCI, ZERO, CSR_SSCRATCH, 1), 0xff);

    read_only_try("cycle csrrs a0, x0", insn_csr(CSRRS, A0, CSR_CYCLE, ZERO));
    read_only_try("cycle csrrc a0, x0", insn_csr(CSRRC, A0, CSR_CYCLE, ZERO));
    read_only_try("cycle csrrsi a0, 0", insn_csr(CSRRSI, A0, CSR_CYCLE, 0));
    read_only_try("cycle csrrci a0, 0", insn_csr(CSRRCI, A0, CSR_CYCLE, 0));
    read_only_try("cycle csrrs x0, x0", insn_csr(CSRRS, ZERO, CSR_CYCLE, ZERO));
    read_only_try("cycle csrrw x0, x0", insn_csr(CSRRW, ZERO, CSR_CYCLE, ZERO));
    read_only_try("cycle csrrwi a0, 0", insn_csr(CSRRWI, A0, CSR_CYCLE, 0));
    read_only_try("cycle csrrsi a0, 1", insn_csr(CSRRSI, A0, CSR_CYCLE, 1));
    read_only_try("time csrrw a0, a1", insn_csr(CSRRW, A0, CSR_TIME, A1));
    read_only_try("time csrrs a0, a1", insn_csr(CSRRS, A0, CSR_TIME, A1));
    read_only_try("time csrrci a0, 3", insn_csr(CSRRCI, A0, CSR_TIME, 3));
    read_only_try("sscratch, funct3 4", insn_csr(4, A0, CSR_SSCRATCH, A1));
}

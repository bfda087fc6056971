// SPDX-License-Identifier: MIT
// At which instruction an interrupt comes that one instruction lets in: writes of sstatus, sie and
// sip in every form, and sret; and that what shuts it out again in time shuts it out.
// Shows: C9 C2
#include "insn.h"

static void window_try(const char *what, u64 sstatus, u64 sie, u64 sip, u32 insn)
{
    struct cpu c;
    u64        base = CODE(INSN_NOP, insn, INSN_NOP, INSN_NOP, INSN_EBREAK);

    csr_write(CSR_SIE, 0);
    csr_write(CSR_SIP, sip);
    cpu_init(&c, MODE_S, base);
    c.sstatus |= sstatus;
    c.x[A0] = 2;
    c.x[A1] = c.sstatus | SSTATUS_SIE;
    csr_write(CSR_SIE, sie);
    cpu_run(&c);
    csr_write(CSR_SIE, 0);
    csr_write(CSR_SIP, 0);
    cpu_print(what, &c, base);
}

GUEST(irq_window)
{
    u64 on = SSTATUS_SPIE;                              // SIE once the run has begun

    window_try("nothing", 0, INT_SSI, INT_SSI, INSN_NOP);
    window_try("csrsi sstatus", 0, INT_SSI, INT_SSI, 0x10016073);
    window_try("csrs sstatus", 0, INT_SSI, INT_SSI, insn_csr(CSRRS, ZERO, CSR_SSTATUS, A0));
    window_try("csrw sstatus", 0, INT_SSI, INT_SSI, insn_csr(CSRRW, ZERO, CSR_SSTATUS, A1));
    window_try("csrsi sie", on, 0, INT_SSI, insn_csr(CSRRSI, ZERO, CSR_SIE, 2));
    window_try("csrw sie", on, 0, INT_SSI, insn_csr(CSRRW, ZERO, CSR_SIE, A0));
    window_try("csrsi sip", on, INT_SSI, 0, insn_csr(CSRRSI, ZERO, CSR_SIP, 2));
    window_try("csrw sip", on, INT_SSI, 0, insn_csr(CSRRW, ZERO, CSR_SIP, A0));
    window_try("csrsi sip, masked", on, INT_STI, 0, insn_csr(CSRRSI, ZERO, CSR_SIP, 2));
    window_try("sfence.vma", 0, INT_SSI, INT_SSI, INSN_SFENCE);
    window_try("csrci sstatus", 0, INT_SSI, INT_SSI, insn_csr(CSRRCI, ZERO, CSR_SSTATUS, 2));
    window_try("from the start", on, INT_SSI, INT_SSI, INSN_NOP);
    window_try("illegal", 0, INT_SSI, INT_SSI, 0);
}

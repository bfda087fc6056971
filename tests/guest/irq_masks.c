// SPDX-License-Identifier: MIT
// When an interrupt is taken: every combination of mode, SIE and the three sie bits against every
// combination of pending interrupts.  In U-mode SIE does not count.  Which of several comes first
// is left open: see README.md.
// Shows: C9
#include "board.h"
#include "insn.h"

static u64 bits(u64 three)
{
    return (three & 1 ? INT_SSI : 0) | (three & 2 ? INT_STI : 0) | (three & 4 ? INT_SEI : 0);
}

// "-" is the run to its end, "one" is one of several that might come.
static const char *text(u64 cause, u64 possible)
{
    if (cause == CAUSE_BREAKPOINT)
        return "-";
    if ((possible & (possible - 1)) && (possible >> (cause & 63) & 1))
        return "one";
    return cause_text(cause);
}

static void pend(u64 pending)
{
    console_hold();
    csr_write(CSR_SIP, pending & INT_SSI);
    timer_set(pending & INT_STI ? 0 : ~0ul);
    if (pending & INT_SEI)
        uart_line_raise();
    else
        uart_line_lower();
    if (!(pending & INT_SEI))
        plic_complete(plic_claim());
    wait_for((csr_read(CSR_SIP) & (INT_SSI | INT_STI | INT_SEI)) == pending, 100ul);
}

GUEST(irq_masks)
{
    u64 base = CODE(INSN_NOP, INSN_NOP, INSN_EBREAK);

    plic_enable(IRQ_UART, 1);
    for (u64 pending = 0; pending < 8; pending++) {
        pend(bits(pending));
        printf("sip %#lx:", csr_read(CSR_SIP));
        for (int mode = 0; mode < 4; mode++) {
            printf(" %c%d", mode & 1 ? 'S' : 'U', mode >> 1);
            for (u64 enabled = 0; enabled < 8; enabled++) {
                struct cpu c;

                cpu_init(&c, mode & 1 ? MODE_S : MODE_U, base);
                if (mode & 2)
                    c.sstatus |= SSTATUS_SPIE;
                csr_write(CSR_SIE, bits(enabled));
                cpu_run(&c);
                csr_write(CSR_SIE, 0);
                printf(" %s+%lu", text(c.cause, bits(pending & enabled)), c.pc - base);
            }
        }
        printf("\n");
    }
    pend(0);
    console_release();
}

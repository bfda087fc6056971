// SPDX-License-Identifier: MIT
// Vectored mode: interrupt n arrives at base + 4n, exceptions at the base.  Only exceptions that
// firmware delegates are tried: see README.md.
// Shows: C2
#include "board.h"
#include "page.h"

void vector_table(void);
extern volatile u64 vector_from, vector_cause;
volatile u64 vector_from, vector_cause;

// Entry n leaves its own address in t6.  The common end notes which entry and scause, masks all
// interrupts, and returns behind the instruction if it was an exception.
__asm__(
    "       .text\n"
    "       .option push\n"
    "       .option norvc\n"
    "       .balign 256\n"
    "vector_table:\n"
    "       .rept   16\n"
    "       jal     t6, 1f\n"
    "       .endr\n"
    "1:     la      t5, vector_table + 4\n"
    "       sub     t6, t6, t5\n"
    "       la      t5, vector_from\n"
    "       sd      t6, (t5)\n"
    "       csrr    t6, scause\n"
    "       la      t5, vector_cause\n"
    "       sd      t6, (t5)\n"
    "       csrw    sie, zero\n"
    "       bltz    t6, 2f\n"
    "       csrr    t6, sepc\n"
    "       addi    t6, t6, 4\n"
    "       csrw    sepc, t6\n"
    "2:     sret\n"
    "       .option pop\n");

static void vector_try(const char *what, u64 enabled)
{
    u64 old = csr_read(CSR_STVEC);

    vector_from = vector_cause = ~0ul;
    csr_write(CSR_SIE, enabled);
    csr_write(CSR_STVEC, (u64)vector_table | 1);
    __asm__ volatile("csrsi sstatus, 2; nop; csrci sstatus, 2" ::: "t5", "t6", "memory");
    csr_write(CSR_STVEC, old);
    printf("%s: entry +%ld cause %#lx\n", what, (long)vector_from, vector_cause);
}

GUEST(irq_vectored)
{
    struct space space;
    u64          old = csr_read(CSR_STVEC);

    csr_set(CSR_SIP, INT_SSI);
    vector_try("software", INT_SSI);
    csr_clear(CSR_SIP, INT_SSI);
    timer_set(0);
    wait_for(csr_read(CSR_SIP) & INT_STI, 100ul);
    vector_try("timer", INT_STI);
    timer_set(~0ul);
    plic_enable(IRQ_UART, 1);
    console_hold();
    uart_line_raise();
    wait_for(csr_read(CSR_SIP) & INT_SEI, 100ul);
    vector_try("external", INT_SEI);
    uart_line_lower();
    plic_complete(plic_claim());
    console_release();

    csr_write(CSR_STVEC, (u64)vector_table | 1);
    __asm__ volatile(".option push; .option norvc; ebreak; .option pop" ::: "t5", "t6", "memory");
    csr_write(CSR_STVEC, old);
    printf("ebreak: entry +%ld cause %#lx\n", (long)vector_from, vector_cause);
    space_make(&space, 3);
    space_enter(&space, 0);
    csr_write(CSR_STVEC, (u64)vector_table | 1);
    __asm__ volatile(".option push; .option norvc; ld t4, (%0); .option pop"
                     :: "r"(0x180000000) : "t4", "t5", "t6", "memory");
    csr_write(CSR_STVEC, old);
    space_leave();
    printf("load page fault: entry +%ld cause %#lx\n", (long)vector_from, vector_cause);
}

// SPDX-License-Identifier: MIT
// A non-retentive suspend of the only hart: it comes back at the address given, with the hart's
// number and the opaque word, without paging and without interrupts.
// Shows: S1 C7
#include "guest.h"

void resume_entry(void);
extern u64 resumed[8];
u64 resumed[8];

__asm__(
    "       .text\n"
    "       .balign 4\n"
    "resume_entry:\n"
    "       la      t0, resumed\n"
    "       sd      a0, 0(t0)\n"
    "       sd      a1, 8(t0)\n"
    "       csrr    t1, satp\n"
    "       sd      t1, 16(t0)\n"
    "       csrr    t1, sstatus\n"
    "       sd      t1, 24(t0)\n"
    "       ld      sp, 32(t0)\n"
    "       ld      s0, 40(t0)\n"
    "       la      t1, trap_entry\n"
    "       csrw    stvec, t1\n"
    "       csrw    sscratch, zero\n"
    "       ld      ra, 48(t0)\n"
    "       ret\n");

// Returns twice over: by the call if it failed, by resume_entry otherwise.
static long suspend(u64 opaque)
{
    register long error __asm__("a0") = (long)0x80000000;
    register u64  entry __asm__("a1") = (u64)resume_entry;
    register u64  word __asm__("a2") = opaque;
    register u64  fid __asm__("a6") = 3;
    register u64  eid __asm__("a7") = SBI_HSM;

    __asm__ volatile("la    t0, resumed\n"
                     "sd    sp, 32(t0)\n"
                     "la    t1, 1f\n"
                     "sd    t1, 48(t0)\n"
                     "ecall\n"
                     "1:\n"
                     : "+r"(error), "+r"(entry)
                     : "r"(word), "r"(fid), "r"(eid)
                     : "memory", "ra", "t0", "t1", "t2", "t3", "t4", "t5", "t6", "a3", "a4", "a5",
                       "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11");
    return error;
}

GUEST(sbi_suspend)
{
    long error;

    csr_write(CSR_SIE, INT_STI);
    timer_set(time_now() + 2 * TICKS_PER_MS);
    __asm__ volatile("la t0, resumed; sd s0, 40(t0)" ::: "t0", "memory");
    error = suspend(0x1234567887654321);
    printf("a0 %ld a1 %#lx satp %#lx SIE %lu (%s)\n", (long)resumed[0], resumed[1], resumed[2],
           resumed[3] >> 1 & 1, error == 0 ? "resumed" : "refused");
    timer_set(~0ul);
}

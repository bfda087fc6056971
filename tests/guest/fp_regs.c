// SPDX-License-Identifier: MIT
// The floating-point registers and fcsr through traps, emulated instructions, SBI calls, page
// faults and timer interrupts: they are the guest's own all the time, whatever FS says in between.
// Shows: C6 C7
#include "fp.h"
#include "insn.h"

static volatile u64 ticks;

static void on_sti(u64 cause)
{
    (void)cause;
    ticks++;
    timer_set(time_now() + TICKS_PER_MS / 10);
}

static void fill(struct fp *fp, u64 *seed)
{
    for (int i = 0; i < 32; i++)
        fp->f[i] = random_next(seed);
    fp->fcsr = random_next(seed) & 0x9f;
}

static u64 differences(const struct fp *want)
{
    struct fp have;
    u64       wrong = 0;

    fp_store(&have);
    for (int i = 0; i < 32; i++)
        wrong += have.f[i] != want->f[i];
    return wrong + (have.fcsr != want->fcsr);
}

static void provoke(u64 which)
{
    struct cpu c;
    u64        base = CODE(INSN_EBREAK, INSN_NOP);

    switch (which) {
    case 0: TRAPS(__asm__ volatile(".word 0"));                     break;
    case 1: TRAPS(peek64(0x100000000));                             break;
    case 2: csr_read(CSR_SSTATUS); csr_read(CSR_SIP);               break;
    case 3: sbi_call(SBI_BASE, 0, 0);                               break;
    case 4: sfence_all(); fence_i();                                break;
    case 5: peek8(0x10000005);                                      break;
    case 6: cpu_init(&c, MODE_U, base); cpu_run(&c);                break;
    case 7: wait_for(false, 1ul);                                   break;
    }
}

GUEST(fp_regs)
{
    u64 seed = 31, wrong[8] = { 0 };

    on_irq = on_sti;
    fs_set(FS_DIRTY);
    csr_set(CSR_SIE, INT_STI);
    csr_set(CSR_SSTATUS, SSTATUS_SIE);
    timer_set(0);
    for (u64 i = 0; i < 8 * 40; i++) {
        struct fp fp;

        fill(&fp, &seed);
        fp_load(&fp);
        if (i % 3 == 0)
            fs_set(FS_CLEAN);
        if (i % 5 == 0)
            fs_set(FS_OFF);
        provoke(i % 8);
        fs_set(FS_DIRTY);
        wrong[i % 8] += differences(&fp);
    }
    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    timer_set(~0ul);
    for (int i = 0; i < 8; i++)
        printf("case %d: %lu wrong\n", i, wrong[i]);
    printf("%s\n", ticks > 10 ? "ticks came" : "no ticks");
}

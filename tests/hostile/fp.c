// SPDX-License-Identifier: MIT
// Plays with floating point: looks for foreign values in the registers, fills them with values of
// its own, with FS Initial, Clean and Dirty, sleeps in between.  Where the VM has no floating point
// FS stays Off and every instruction of it is illegal, in S and in U.
// What the command line says: seed= makes the values those of this VM alone.
// Shows: C6
#include "fp.h"
#include "hostile.h"
#include "insn.h"

static struct fp kept;
static u64       seed;

static u64 foreign(void)
{
    struct fp f;
    u64       n = 0;

    fp_store(&f);
    for (int i = 0; i < 32; i++)
        n += f.f[i] != kept.f[i];
    return n + (f.fcsr != kept.fcsr);
}

static void fill(void)
{
    for (int i = 0; i < 32; i++)
        kept.f[i] = random_next(&seed);
    kept.fcsr = random_next(&seed) & 0x1f;
    fp_load(&kept);
}

// Gives the hart up for a moment, or has it taken away.
static void pause(u64 n)
{
    if (n % 16 == 0) {
        for (int i = 0; i < 200000; i++)
            __asm__ volatile("");
        return;
    }
    timer_set(time_now() + n % 128);
    csr_write(CSR_SIE, INT_STI);
    __asm__ volatile("wfi");
    csr_write(CSR_SIE, 0);
}

static void with_fp(void)
{
    static const u64 states[] = { FS_INITIAL, FS_CLEAN, FS_DIRTY, FS_OFF };

    for (u64 round = 1;; round++) {
        for (u64 n = 0; n < 200; n++) {
            u64 bad;

            fs_set(FS_DIRTY);
            bad = foreign();
            if (bad)
                say("BAD %lu registers are not ours", bad);
            fill();
            fs_set(states[n % 4]);
            pause(n);
        }
        say("round %lu with", round);
    }
}

static void without_fp(void)
{
    static const u32 insns[] = { 0x00053507, 0x00a53027, 0x02a50553, 0xf2000553, 0x00301573,
                                 0x00102573, 0x00201573, 0xe2000553, 0x2108,     0xa108 };

    for (u64 round = 1;; round++) {
        for (u64 i = 0; i < 2 * ARRAY_LEN(insns); i++) {
            struct cpu c;
            u64        base = CODE(insns[i / 2], INSN_EBREAK);

            cpu_init(&c, i % 2 ? MODE_S : MODE_U, base);
            c.x[A0] = SPARE;
            c.sstatus |= FS_DIRTY;
            cpu_run(&c);
            if (c.cause != CAUSE_ILLEGAL || c.pc != base)
                say("BAD insn %#x gives %lu", insns[i / 2], c.cause);
            if (c.sstatus & (SSTATUS_FS | SSTATUS_SD))
                say("BAD FS %#lx", c.sstatus);
        }
        say("round %lu without", round);
    }
}

GUEST(fp)
{
    seed = arg("seed", 1) * 0x9e3779b97f4a7c15ul | 1;
    fs_set(FS_DIRTY);
    if (fs_get())
        with_fp();
    else
        without_fp();
}

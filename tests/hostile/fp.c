// SPDX-License-Identifier: MIT
// Plays with floating point: looks for foreign values in the registers, fills them with marks,
// with FS Initial, Clean and Dirty, sleeps in between.  Where the VM has no floating point FS
// stays Off and every instruction of it is illegal, in S and in U.
// Shows: C6
#include "fp.h"
#include "hostile.h"
#include "insn.h"

#define MARK 0x7ff8000041544b00ul

static bool is_ours(u64 value, bool first)
{
    return first ? value == 0 : (value & ~0xfful) == MARK;
}

static u64 foreign(const struct fp *f, bool first)
{
    u64 n = 0;

    for (int i = 0; i < 32; i++)
        n += !is_ours(f->f[i], first);
    return n + (f->fcsr != (first ? 0 : 0x5f));
}

static void with_fp(void)
{
    static const u64 states[] = { FS_INITIAL, FS_CLEAN, FS_DIRTY };
    struct fp        f;

    for (u64 round = 1;; round++) {
        for (u64 n = 0; n < 50; n++) {
            u64 bad;

            fs_set(FS_DIRTY);
            fp_store(&f);
            bad = foreign(&f, round == 1 && !n);
            if (bad)
                say("BAD %lu registers are not ours: %#lx", bad, f.f[0]);
            for (u64 i = 0; i < 32; i++)
                f.f[i] = MARK | (n + i) % 256;
            f.fcsr = 0x5f;
            fp_load(&f);
            fs_set(states[n % 3]);
            timer_set(time_now() + 20);
            csr_write(CSR_SIE, INT_STI);
            __asm__ volatile("wfi");
            csr_write(CSR_SIE, 0);
            fs_set(n % 2 ? FS_OFF : FS_CLEAN);
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
    fs_set(FS_DIRTY);
    if (fs_get())
        with_fp();
    else
        without_fp();
}

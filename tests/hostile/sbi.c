// SPDX-License-Identifier: MIT
// SBI calls with every argument that a program could get wrong, from a seed: all extensions and
// functions, and some that are not; masks and bases of harts, addresses, sizes, times.  Only what
// would end the attack (power-off, stopping the hart) is left out.  An address beyond the VM's RAM
// must be refused, and RAM that no call may write must keep its mark.
// Shows: S1 S2
#include "hostile.h"

#define SBI_STA 0x535441
#define MARKED  (RAM + 32 * MIB)
#define MARKS   (MIB / 8)
#define SHARED  (MARKED - MIB)

static volatile u64 *const marked = (u64 *)MARKED;

static const u64 extensions[] = {
    SBI_BASE, SBI_TIME, SBI_IPI, SBI_RFENCE, SBI_RFENCE, SBI_HSM, SBI_SRST, SBI_DBCN, 0, 1, 3, 4,
    5, 6, 7, 0x504d55, 0x53555350, 0x4e41434c, SBI_STA, 0x43505043, 9, 0x0a000000, ~0ul, 1ul << 63,
};

// Would this be the last call?
static bool ends(u64 ext, u64 fid, const u64 *a)
{
    bool suspends = ext == SBI_HSM && fid == 3 && (a[0] == 0 || a[0] == 0x80000000);

    return (ext == SBI_SRST && !fid && a[0] <= 2 && a[1] <= 1) || (ext == SBI_HSM && fid == 1) ||
           suspends || ext == 8;
}

// What the specification says of a place for steal time (16.1).
static long sta_error(const u64 *a)
{
    if (a[2])
        return -3;
    if (a[0] == ~0ul && a[1] == ~0ul)
        return 0;
    if (a[0] % 64)
        return -3;
    return a[1] || a[0] < RAM || a[0] >= ram_end() ? -5 : 0;
}

// Would the monitor write to where this guest lives?
static bool overwrites(u64 ext, u64 fid, const u64 *a)
{
    return ext == SBI_STA && !fid && !sta_error(a) && a[0] != ~0ul && a[0] != SHARED;
}

static u64 check(u64 ext, u64 fid, const u64 *a, struct sbi_ret r)
{
    u64 end = a[1] + a[0];

    if (ext == SBI_DBCN && fid < 2 && a[0] && (a[2] || a[1] < RAM || end > ram_end() || end < a[1]))
        return r.error != -3;
    if (ext == SBI_HSM && !fid && a[0])
        return r.error != -3;
    if (ext == SBI_STA && !fid)
        return r.error != sta_error(a) || r.value;
    return (ext < 0x10 ? 0 : r.error > 0 || r.error < -9);
}

GUEST(sbi)
{
    u64 seed = arg("seed", 1), bad = 0, calls = 0, a[6];

    for (u64 i = 0; i < MARKS; i++)
        marked[i] = ~i;
    for (u64 round = 1;; round++) {
        for (int i = 0; i < 5000; i++) {
            u64 ext = any_of(extensions, &seed), fid = any_below(8, &seed);

            if (!any_below(32, &seed))
                ext = edge_number(&seed), fid = edge_number(&seed);
            for (int n = 0; n < 6; n++)
                a[n] = edge_number(&seed);
            if (ext == SBI_DBCN && !any_below(4, &seed)) // now and then it is right
                a[0] = any_below(4, &seed), a[1] = MARKED - 8, a[2] = 0;
            if (ext == SBI_STA && !any_below(4, &seed))
                a[0] = SHARED, a[1] = a[2] = 0;
            if (ends(ext, fid, a) || overwrites(ext, fid, a) || ext == 1)
                continue;
            if (ext == SBI_DBCN && (fid == 2 || a[0] > 64) && any_below(16, &seed))
                continue;
            calls++;
            bad += check(ext, fid, a, sbi_call6(ext, fid, a));
        }
        for (u64 i = 0; i < MARKS; i++)
            bad += marked[i] != ~i;
        if (bad)
            say("BAD %lu", bad);
        say("round %lu calls=%lu", round, calls);
    }
}

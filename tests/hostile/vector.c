// SPDX-License-Identifier: MIT
// Keeps values of its own in all vector registers, vl, vtype, vxrm and vstart, gives the hart up, and looks
// whether they are still there.  Several of them side by side must not see each other's.
// What the command line says: seed= makes the values those of this VM alone.
// Shows: C6
#include "hostile.h"
#include "vector.h"

static u64 kept[VECTOR_WORDS], seen[VECTOR_WORDS], seed, bad;

static void doze(u64 ahead)
{
    timer_set(time_now() + ahead);
    csr_write(CSR_SIE, INT_STI);
    __asm__ volatile("wfi");
    csr_write(CSR_SIE, 0);
}

static void spin(void)
{
    for (int i = 0; i < 200000; i++)
        __asm__ volatile("");
}

static void turn(u64 n)
{
    u64 words = csr_read(CSR_VLENB) * 4, vtype = n % 4 << 3, vl;

    for (u64 i = 0; i < words; i++)
        kept[i] = random_next(&seed);
    vector_load(kept);
    vector_type_set(vtype, n % 7);
    vl = csr_read(CSR_VL);
    csr_write(CSR_VXRM, seed & 3);
    csr_write(CSR_VSTART, n % 5);
    if (n % 16)
        doze(n % 128);
    else
        spin();
    bad += csr_read(CSR_VL) != vl || csr_read(CSR_VTYPE) != vtype;
    bad += csr_read(CSR_VXRM) != (seed & 3) || csr_read(CSR_VSTART) != n % 5;
    csr_write(CSR_VSTART, 0); // or the stores begin in the middle (V 1.0, 3.7)
    vector_store(seen);
    for (u64 i = 0; i < words; i++)
        bad += kept[i] != seen[i];
}

GUEST(vector)
{
    u64 first = 0;

    seed = arg("seed", 1) * 0x9e3779b97f4a7c15ul | 1;
    if (!vector_on()) {
        say("BAD no vectors");
        rest();
    }
    vector_store(seen);
    for (u64 i = 0; i < csr_read(CSR_VLENB) * 4; i++)
        first += seen[i] != 0;
    if (first)
        say("BAD %lu words at the start are not zero", first);
    for (u64 round = 1;; round++) {
        for (u64 n = 0; n < 200; n++)
            turn(n);
        if (bad)
            say("BAD %lu values are not its own", bad);
        say("round %lu", round);
    }
}

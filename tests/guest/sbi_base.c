// SPDX-License-Identifier: MIT
// The SBI base extension: a version, the extensions that every kernel needs, the machine's ids, and
// that what is not there is said not to be.
// Shows: S1
#include "guest.h"

static void probe(const char *what, u64 eid)
{
    struct sbi_ret ret = sbi_call(SBI_BASE, 3, eid);

    printf("probe %s: error %ld %s\n", what, ret.error, ret.value ? "there" : "not there");
}

GUEST(sbi_base)
{
    struct sbi_ret version = sbi_call(SBI_BASE, 0, 0);

    printf("version: error %ld, %s\n", version.error,
           version.value >> 24 >= 1 && version.value < 1ul << 31 ? "1.0 or later" : "old");
    for (u64 fid = 1; fid <= 6; fid++)
        if (fid != 3)
            printf("function %lu: error %ld\n", fid, sbi_call(SBI_BASE, fid, 0).error);
    for (u64 fid = 7; fid < 12; fid++)
        printf("function %lu: error %ld\n", fid, sbi_call(SBI_BASE, fid, 0).error);

    probe("BASE", SBI_BASE);
    probe("TIME", SBI_TIME);
    probe("IPI", SBI_IPI);
    probe("RFENCE", SBI_RFENCE);
    probe("HSM", SBI_HSM);
    probe("SRST", SBI_SRST);
    probe("0x0badcafe", 0x0badcafe);
    probe("0x7fffffff", 0x7fffffff);
    probe("0x11", 0x11);
}

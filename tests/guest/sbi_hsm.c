// SPDX-License-Identifier: MIT
// Hart state management with one hart: its status, starting what runs or is not there, suspend
// types that are reserved, and a retentive suspend that an interrupt ends.
// Shows: S1
#include "guest.h"

GUEST(sbi_hsm)
{
    static const u64 harts[] = { 0, 1, 2, 63, 64, 127, 128, 1000, ~0ul };
    static const u64 types[] = { 1, 2, 0x1000, 0x0fffffff, 0x80000001, 0x8fffffff };
    struct sbi_ret   ret;

    for (size_t i = 0; i < sizeof harts / sizeof *harts; i++) {
        ret = sbi_call(SBI_HSM, 2, harts[i]);
        printf("status of %#lx: error %ld value %lu\n", harts[i], ret.error,
               ret.error ? 0 : ret.value);
    }
    for (size_t i = 0; i < sizeof harts / sizeof *harts; i++)
        printf("start of %#lx: error %ld\n", harts[i],
               sbi_call(SBI_HSM, 0, harts[i], 0x80200000, 0).error);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        printf("suspend type %#lx: error %ld\n", types[i],
               sbi_call(SBI_HSM, 3, types[i], 0x80200000, 0).error);

    csr_write(CSR_SIE, INT_STI);
    timer_set(time_now() + 2 * TICKS_PER_MS);
    do
        ret = sbi_call(SBI_HSM, 3, 0, 0, 0);
    while (ret.error == 0 && !(csr_read(CSR_SIP) & INT_STI));
    printf("retentive suspend: error %ld, sip %#lx, status %lu\n", ret.error, csr_read(CSR_SIP),
           sbi_call(SBI_HSM, 2, 0).value);
    timer_set(~0ul);
}

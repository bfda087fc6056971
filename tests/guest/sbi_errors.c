// SPDX-License-Identifier: MIT
// SBI calls that do not exist: extensions and functions alike are "not supported".
// Shows: S1
#include "guest.h"

GUEST(sbi_errors)
{
    static const u64 extensions[] = {
        0x11, 0x12, 0x0f, 0x100, 0x0badcafe, 0x7fffffff, 0x54494d44, 0x735048, 0x52464e44,
        ~0ul >> 1, 1ul << 32,
    };
    static const u64 known[] = { SBI_BASE, SBI_TIME, SBI_IPI, SBI_RFENCE, SBI_HSM, SBI_SRST };
    static const u64 functions[] = { 7, 8, 100, 0x7fffffff, 1ul << 31, 1ul << 32, ~0ul };

    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        printf("extension %#lx: %ld\n", extensions[i], sbi_call(extensions[i], 0, 0).error);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        printf("extension %#lx:", known[i]);
        for (size_t j = 0; j < sizeof functions / sizeof *functions; j++)
            printf(" %ld", sbi_call(known[i], functions[j], 0).error);
        printf("\n");
    }
}

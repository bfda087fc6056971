// SPDX-License-Identifier: MIT
// System reset with types and reasons that are reserved: refused, and the machine runs on.
// Shows: S1
#include "guest.h"

GUEST(sbi_reset)
{
    static const u64 types[] = { 3, 4, 0x1000, 0xefffffff, 0xffffffff };

    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        printf("type %#lx: %s\n", types[i],
               sbi_call(SBI_SRST, 0, types[i], 0).error < 0 ? "refused" : "accepted");
    printf("reason 2: %s\n", sbi_call(SBI_SRST, 0, 0, 2).error < 0 ? "refused" : "accepted");
    printf("reason 0xdfffffff: %s\n",
           sbi_call(SBI_SRST, 0, 0, 0xdfffffff).error < 0 ? "refused" : "accepted");
}

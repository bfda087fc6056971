// SPDX-License-Identifier: MIT
// send_ipi with hart masks that name no hart of this machine.
// Shows: S1
#include "guest.h"

GUEST(sbi_ipi)
{
    static const u64 bases[] = { 1, 2, 63, 64, 128, 4096, 1ul << 32, 1ul << 63, ~1ul };

    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
        printf("base %#lx: %ld, sip %#lx\n", bases[i], sbi_call(SBI_IPI, 0, 1, bases[i]).error,
               csr_read(CSR_SIP));
}

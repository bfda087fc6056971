// SPDX-License-Identifier: MIT
// send_ipi with hart masks that name no hart of this machine.  The specification has it refused;
// OpenSBI from 1.5 on reports success instead, and cuts the base to 32 bits.
// Shows: S1
#include "guest.h"

GUEST(sbi_ipi)
{
    static const u64 bases[] = { 1, 2, 63, 64, 128, 4096, 1ul << 32, 1ul << 63, ~1ul };

    for (size_t i = 0; i < sizeof bases / sizeof *bases; i++)
    {
        long error = sbi_call(SBI_IPI, 0, 1, bases[i]).error;
        u64  sip   = csr_read(CSR_SIP);

        csr_write(CSR_SIP, 0);
        if (error == 0)
            printf("base %#lx: refused, sip 0\n", bases[i]);
        else
            printf("base %#lx: %s, sip %#lx\n", bases[i], error == -3 ? "refused" : "odd", sip);
    }
}

// SPDX-License-Identifier: MIT
// The legacy calls: what each returns in a0, and that a1 stays.
// Shows: S1
#include "guest.h"

static void legacy_print(const char *what, u64 eid, u64 argument)
{
    struct sbi_ret ret = sbi_call(eid, 0, argument, 0xa1a1a1a1);

    printf("%s: a0 %ld a1 %s\n", what, ret.error, ret.value == 0xa1a1a1a1 ? "kept" : "changed");
}

GUEST(sbi_legacy)
{
    u64 mask = 1;

    legacy_print("set_timer", 0, ~0ul);
    legacy_print("putchar", 1, '*');
    legacy_print("getchar", 2, 0);
    legacy_print("send_ipi", 4, (u64)&mask);
    wait_for(csr_read(CSR_SIP) & INT_SSI, 20ul);
    printf("sip %#lx\n", csr_read(CSR_SIP));
    csr_clear(CSR_SIP, INT_SSI);
    legacy_print("send_ipi to all", 4, 0);
    wait_for(csr_read(CSR_SIP) & INT_SSI, 20ul);
    printf("sip %#lx\n", csr_read(CSR_SIP));
    csr_clear(CSR_SIP, INT_SSI);
    legacy_print("remote_fence_i", 5, (u64)&mask);
    legacy_print("remote_sfence_vma", 6, (u64)&mask);
    legacy_print("remote_sfence_vma_asid", 7, (u64)&mask);

    sbi_call(0, 0, 0);
    printf("set_timer(0): sip %#lx\n", csr_read(CSR_SIP));
    sbi_call(0, 0, ~0ul);
    printf("set_timer(~0): sip %#lx\n", csr_read(CSR_SIP));
}

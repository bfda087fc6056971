// SPDX-License-Identifier: MIT
// What the kernel finds at its first instruction: hart 0, a device tree, no paging, no interrupts.
// Shows: C7
#include "guest.h"

GUEST(boot_state)
{
    u32 magic = *(const u32 *)boot_state.fdt;

    printf("hart %lu\n", boot_state.hart);
    printf("device tree: %s, %s\n", boot_state.fdt % 8 ? "misaligned" : "aligned",
           magic == 0xedfe0dd0 ? "magic" : "no magic");
    printf("satp %#lx sie %#lx SIE %lu\n", boot_state.satp, boot_state.sie,
           boot_state.sstatus >> 1 & 1);
    printf("UXL %lu SUM %lu MXR %lu\n", boot_state.sstatus >> 32 & 3, boot_state.sstatus >> 18 & 1,
           boot_state.sstatus >> 19 & 1);
    printf("sip %#lx\n", csr_read(CSR_SIP));
}

// SPDX-License-Identifier: MIT
// Physical memory protection: the monitor's own walls, and the window in which a guest lives.
//
// In:     the borders of the image; the memory of the machine that runs next.
// Out:    PMP entries, in this order (the first that matches decides, 3.7.1):
//             0,1  the monitor's text: read and execute, locked      (top of range)
//             2    its constants: read, locked                       (top of range)
//             3    the guard under this hart's stack: nothing, locked
//             4,5  the VM's RAM: read, write, execute for S and U
//             6,7  its shadow tables: read, for the walker in S and U
// Always: what no entry covers is closed to S and U and open to M.  A locked entry binds every mode
//         alike: one that lets the monitor write its data would let S and U write it too.  So data
//         has no entry; docs/threat-model.md says what follows.
// Locks:  none; each hart has its own PMP.
#include "arch/hart.h"

#include "arch/riscv/csr_access.h"

#define CFG(entry, bits) ((u64)(bits) << (8 * (entry)))

static u64 locked_cfg; // the same for all harts

// A naturally aligned 4 KiB range: address bits, then 0, then 9 ones (3.7.1, table 3.12).
static u64 napot_4k(u64 base)
{
    return (base >> 2) | BITS(8, 0);
}

void pmp_lock_monitor(u64 base, u64 text_end, u64 rodata_end, u64 guard)
{
    csr_write(pmpaddr0, base >> 2);
    csr_write(pmpaddr1, text_end >> 2);
    csr_write(pmpaddr2, rodata_end >> 2);
    csr_write(pmpaddr3, napot_4k(guard));
    locked_cfg = CFG(1, PMP_L | PMP_TOR | PMP_R | PMP_X) | CFG(2, PMP_L | PMP_TOR | PMP_R) |
                 CFG(3, PMP_L | PMP_NAPOT);
    csr_write(pmpcfg0, locked_cfg);
    hart_fence_all();
}

void pmp_window_set(const struct pmp_range *ram, const struct pmp_range *tables)
{
    csr_write(pmpcfg0, locked_cfg);
    csr_write(pmpaddr4, ram->base >> 2);
    csr_write(pmpaddr5, ram->end >> 2);
    csr_write(pmpaddr6, tables->base >> 2);
    csr_write(pmpaddr7, tables->end >> 2);
    csr_write(pmpcfg0, locked_cfg | (ram->rights ? CFG(5, PMP_TOR | ram->rights) : 0) |
                           (tables->rights ? CFG(7, PMP_TOR | tables->rights) : 0));
    hart_fence_all();
}

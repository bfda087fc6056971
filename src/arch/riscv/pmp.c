// SPDX-License-Identifier: MIT
// Physical memory protection: the monitor's own walls, and the window in which a guest lives.
//
// In:     the borders of the image; the memory of the machine that runs next.
// Out:    PMP entries, in this order (the first that matches decides, 3.7.1):
//             0,1  the VM's RAM: read, write, execute for S and U
//             2,3  its shadow tables: read, for the walker in S and U
//             4,5  the monitor's text: read and execute, locked      (top of range)
//             6    its constants: read, locked                       (top of range)
//             7    the guard under this hart's stack: nothing, locked
//         QEMU compares one entry after the other at each step of a walk: the guest's are first.
// Always: the window of a VM lies outside the monitor's image, so that no order could open it.
//         What no entry covers is closed to S and U and open to M.  A locked entry binds every mode
//         alike: one that lets the monitor write its data would let S and U write it too.  So data
//         has no entry; docs/threat-model.md says what follows.
// Locks:  none; each hart has its own PMP.
#include "arch/hart.h"

#include "arch/riscv/csr_access.h"
#include "arch/riscv/image.h"
#include "lib/panic.h"

#define CFG(entry, bits) ((u64)(bits) << (8 * (entry)))

static u64 locked_cfg; // the same for all harts

// A naturally aligned 4 KiB range: address bits, then 0, then 9 ones (3.7.1, table 3.12).
static u64 napot_4k(u64 base)
{
    return (base >> 2) | BITS(8, 0);
}

void pmp_lock_monitor(u64 base, u64 text_end, u64 rodata_end, u64 guard)
{
    csr_write(pmpaddr4, base >> 2);
    csr_write(pmpaddr5, text_end >> 2);
    csr_write(pmpaddr6, rodata_end >> 2);
    csr_write(pmpaddr7, napot_4k(guard));
    locked_cfg = CFG(5, PMP_L | PMP_TOR | PMP_R | PMP_X) | CFG(6, PMP_L | PMP_TOR | PMP_R) |
                 CFG(7, PMP_L | PMP_NAPOT);
    csr_write(pmpcfg0, locked_cfg);
    hart_fence_all();
}

static bool is_outside_image(const struct pmp_range *r)
{
    return r->end <= (u64)_image_start || r->base >= (u64)_image_end;
}

void pmp_window_set(const struct pmp_range *ram, const struct pmp_range *tables)
{
    ASSERT(is_outside_image(ram) && is_outside_image(tables));
    csr_write(pmpcfg0, locked_cfg);
    csr_write(pmpaddr0, ram->base >> 2);
    csr_write(pmpaddr1, ram->end >> 2);
    csr_write(pmpaddr2, tables->base >> 2);
    csr_write(pmpaddr3, tables->end >> 2);
    csr_write(pmpcfg0, locked_cfg | (ram->rights ? CFG(1, PMP_TOR | ram->rights) : 0) |
                           (tables->rights ? CFG(3, PMP_TOR | tables->rights) : 0));
    hart_fence_all();
}

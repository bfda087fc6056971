// SPDX-License-Identifier: MIT
// Physical memory protection: the monitor's own walls, and the window in which a guest lives.
//
// In:     the borders of the image; the memory of the machine that runs next.
// Out:    PMP entries, in this order (the first that matches decides, 3.7.1):
//             0    a VM's shadow tables: read, for the walker in S and U   (naturally aligned)
//             1,2  its RAM: read, write, execute for S and U               (top of range)
//             4,5  the monitor's text: read and execute, locked            (top of range)
//             6    its constants: read, locked                             (top of range)
//             7    the guard under this hart's stack: nothing, locked
//             8    all the rest, where there are so many: nothing          (naturally aligned)
//         Tables that are not naturally aligned have 0,1 as a range, and then the RAM has 2,3.
//         QEMU compares one entry after the other, at each step of a walk, until one matches: what
//         a guest needs most comes first, and the last lets nothing search in vain.
// Always: the window of a VM lies outside the monitor's image, so that no order could open it.
//         What no entry covers is closed to S and U and open to M.  A locked entry binds every mode
//         alike: one that lets the monitor write its data would let S and U write it too.  So data
//         has no entry; docs/threat-model.md says what follows.
// Locks:  none; each hart has its own PMP.
#include "arch/hart.h"

#include "arch/riscv/csr_access.h"
#include "arch/riscv/image.h"
#include "lib/bits.h"
#include "lib/panic.h"

#define CFG(entry, bits) ((u64)(bits) << (8 * (entry)))

static u64 locked_cfg; // the same for all harts

// A naturally aligned range: address bits, then 0, then ones (3.7.1, table 3.12).
static u64 napot(u64 base, u64 size)
{
    return (base >> 2) | ((size >> 3) - 1);
}

static bool is_napot(const struct pmp_range *r)
{
    u64 size = r->end - r->base;

    return size >= PAGE_SIZE && is_power_of_two(size) && is_aligned(r->base, size);
}

// To S and U all is closed that no entry opens, and to M it is open: so says this one, too, since
// it is not locked.
static void rest_close(void)
{
    csr_write(pmpaddr8, ~0ul);
    csr_write(pmpcfg2, PMP_NAPOT);
}

void pmp_lock_monitor(u64 base, u64 text_end, u64 rodata_end, u64 guard)
{
    csr_write(pmpaddr4, base >> 2);
    csr_write(pmpaddr5, text_end >> 2);
    csr_write(pmpaddr6, rodata_end >> 2);
    csr_write(pmpaddr7, napot(guard, PAGE_SIZE));
    locked_cfg = CFG(5, PMP_L | PMP_TOR | PMP_R | PMP_X) | CFG(6, PMP_L | PMP_TOR | PMP_R) |
                 CFG(7, PMP_L | PMP_NAPOT);
    csr_write(pmpcfg0, locked_cfg);
    if (hart_caps.pmp_entries > 8)
        rest_close();
    hart_fence_all();
}

static bool is_outside_image(const struct pmp_range *r)
{
    return r->end <= (u64)_image_start || r->base >= (u64)_image_end;
}

static u64 cfg_of(unsigned entry, u64 kind, u64 rights)
{
    return rights ? CFG(entry, kind | rights) : 0;
}

void pmp_window_set(const struct pmp_range *ram, const struct pmp_range *tables)
{
    u64 cfg = locked_cfg;

    ASSERT(is_outside_image(ram) && is_outside_image(tables));
    csr_write(pmpcfg0, locked_cfg);
    if (LIKELY(is_napot(tables))) {
        csr_write(pmpaddr0, napot(tables->base, tables->end - tables->base));
        csr_write(pmpaddr1, ram->base >> 2);
        csr_write(pmpaddr2, ram->end >> 2);
        cfg |= cfg_of(0, PMP_NAPOT, tables->rights) | cfg_of(2, PMP_TOR, ram->rights);
    } else {
        csr_write(pmpaddr0, tables->base >> 2);
        csr_write(pmpaddr1, tables->end >> 2);
        csr_write(pmpaddr2, ram->base >> 2);
        csr_write(pmpaddr3, ram->end >> 2);
        cfg |= cfg_of(1, PMP_TOR, tables->rights) | cfg_of(3, PMP_TOR, ram->rights);
    }
    csr_write(pmpcfg0, cfg);
    hart_fence_all();
}

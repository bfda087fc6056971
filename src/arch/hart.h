// SPDX-License-Identifier: MIT
// The hart as the rest of the monitor sees it.  arch/riscv is the real one, arch/host a fake for
// tests.  All functions concern the calling hart alone, with interrupts off, unless they say more.
#pragma once

#include "arch/frame.h"
#include "isa/csr.h"

// What a hart was found to have.  Fixed after hart_probe().
struct hart_caps {
    u64      misa;
    u64      vendor, arch, impl;
    bool     sv39, sv48, sv57;
    unsigned asid_bits;
    unsigned pmp_entries;
    u64      pmp_grain;       // bytes
    u64      scounteren_mask; // bits that can be written
    u64      senvcfg_mask;
    u64      scause_mask;
    bool     h;        // hypervisor extension
    bool     time_csr; // `time` can be read without a trap
    bool     menvcfg;
};
extern struct hart_caps hart_caps;

// Fills hart_caps.  Boot hart, once.
void hart_probe(void);

u32 hart_id(void);
u64 hart_time_csr(void);

// Interrupts of the machine: those enabled, those that both pend and are enabled.
void hart_irq_enable(u64 bits);
u64  hart_irq_pending(void);
void hart_wait(void); // until hart_irq_pending() is not 0

// FS, VS and SD of mstatus, in their places; SD cannot be set.
#ifdef __riscv
#include "arch/riscv/ext_status.h" // inline, for the path that a guest's sstatus takes
#else
u64  hart_ext_status(void);
void hart_ext_status_set(u64 bits);
#endif

// The tables that S- and U-mode walk from now on.  A value with ASID 0 flushes what is cached.
void hart_satp_set(u64 satp);
void hart_fence_all(void);
void hart_fence_page(gva_t va);
void hart_fence_code(void);

void hart_counters_set(u64 scounteren);
void hart_envcfg_set(u64 senvcfg);
void hart_reservation_drop(void);

// Prepares the hart for guests: traps come to the monitor, nothing is delegated, TVM, TW, TSR set.
void hart_guest_mode_init(void);

// PMP (3.7).  The monitor's own entries are locked; the window is where the guest may be.
struct pmp_range {
    u64 base, end; // 4 KiB-aligned
    u8  rights;    // PMP_R | PMP_W | PMP_X; 0 closes it
};
void pmp_lock_monitor(u64 base, u64 text_end, u64 rodata_end, u64 guard);
void pmp_window_set(const struct pmp_range *ram, const struct pmp_range *tables);
#define PMP_ENTRIES_NEEDED 8

// SPDX-License-Identifier: MIT
// The hart as the rest of the monitor sees it.  arch/riscv is the real one, arch/host a fake for
// tests.  All functions concern the calling hart alone, with interrupts off, unless they say more.
#pragma once

#include "arch/frame.h"
#include "arch/riscv/layout.h"
#include "arch/super.h"
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
    u32  s_unknown; // number of an S-level CSR that nobody here switches or traps; 0: there is none
    bool h;         // hypervisor extension
    bool time_csr;  // `time` can be read without a trap
    bool menvcfg;
    bool stimecmp; // S-mode can be given it (Sstc)
    bool fp;       // F and D, and no registers wider than those
    bool finx;     // floating point in integer registers, whose fcsr nobody switches
    u64  vlenb;    // bytes of a vector register; 0: no vectors
};
extern struct hart_caps hart_caps;

// What the calling hart has.  Leaves each CSR as it was, but satp and PMP, which become 0.
void hart_probe(struct hart_caps *caps);

// The calling hart: its place among those that run the monitor, from 0 to MAX_HARTS - 1, and its
// number in the machine (mhartid).
u32 hart_id(void);
#ifndef __riscv
u32 hart_index(void);
#else
static inline u32 hart_index(void)
{
    u64 tp;

    __asm__("mv %0, tp" : "=r"(tp));
    return (u32)tp;
}
#endif

u64           hart_time_csr(void);
u64           hart_instret(void);  // instructions executed
void          harts_release(void); // those that wait in start.S may go on, once an IPI wakes them
NORETURN void hart_park(void);

// Interrupts of the machine: those enabled, those that both pend and are enabled.
void hart_irq_enable(u64 bits);
u64  hart_irq_pending(void);
void hart_wait(void);  // until hart_irq_pending() is not 0
void hart_relax(void); // for a moment, in a loop that waits

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
void hart_fence_devices(void); // what was done before to memory or devices is seen before the rest

// The registers of the floating-point and vector units; FS and VS stay as they are.  Only where the
// hart has them.
struct fp_regs {
    u64 f[32], fcsr;
};
struct vector_regs {
    u64 vstart, vcsr, vl, vtype;
    u8  v[]; // 32 registers of vlenb bytes
};
#define VTYPE_ILLEGAL BIT(63) // vill: as after a reset
void fp_save(struct fp_regs *to);
void fp_load(const struct fp_regs *from);
void vector_save(struct vector_regs *to, u64 vlenb);
void vector_load(const struct vector_regs *from, u64 vlenb);

void hart_counters_set(u64 scounteren);
u64  hart_counters(void);
void hart_envcfg_set(u64 senvcfg);
void hart_reservation_drop(void);

// Prepares the hart for guests: traps come to the monitor, nothing is delegated, TVM, TW, TSR set.
void hart_guest_mode_init(void);

// Prepares the hart for guests that run in S-mode: it gives them their interrupts, and the system
// calls of their processes; TVM and TW are set.  With its timer, only where there is stimecmp.
void hart_super_begin(bool timer);
void hart_super_load(const struct super *to, bool timer);
// hart_super_update() writes what differs from what it holds; with its timer, STIP is made, not
// written.  hart_super_look() reads `status` and `pending`, and takes SSIP out of it.
// hart_super_read() reads the rest, but for scratch, counteren and envcfg, which the monitor does
// not need.
#ifdef __riscv
#include "arch/riscv/super.h" // inline, for each exit
#else
void hart_super_update(const struct super *to, const struct super *held, bool timer);
void hart_super_look(struct super *held);
void hart_super_read(struct super *held, bool timer);
#endif
// Reads the rest; and no interrupt of the guest's is enabled from here on.
void hart_super_end(struct super *held);

// Whether all traps of guests reach run.c, or those that the hot path can do end there.
void hart_traps_all(bool all);

// PMP (3.7).  The monitor's own entries are locked; the window is where the guest may be.
struct pmp_range {
    u64 base, end; // 4 KiB-aligned
    u8  rights;    // PMP_R | PMP_W | PMP_X; 0 closes it
};
void pmp_lock_monitor(u64 base, u64 text_end, u64 rodata_end, u64 guard);
void pmp_window_set(const struct pmp_range *ram, const struct pmp_range *tables);
#define PMP_ENTRIES_NEEDED 8

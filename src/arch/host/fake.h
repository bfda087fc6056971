// SPDX-License-Identifier: MIT
// A fake hart for tests on the host: what the monitor told it, and what it tells the monitor.
#pragma once

#include "arch/hart.h"

struct fake_hart {
    // A test sets these:
    u32 id, index;
    u64 time, instret;                       // what the `time` CSR and the machine's timer show
    u64 ext_has;                             // which of FS and VS of mstatus can be written
    u64 irq_pending;                         // lines of the machine, enabled or not
    void (*on_run)(struct frame *f);         // the guest runs until it traps
    void (*on_wait)(void);                   // the hart sleeps
    void (*on_relax)(void);                  // it waits awake, and 1 us has passed
    u64 (*more_irqs)(void);                  // lines that others raise; NULL: none
    void (*on_satp)(u64 satp);               // written, before the flush that ASID 0 brings
    void (*on_fence)(bool has_va, gva_t va); // sfence.vma

    // The monitor sets these:
    u64              irq_enabled;
    u64              satp, ext_status, scounteren, senvcfg;
    struct pmp_range ram, tables;
    u64              locked_base, locked_text_end, locked_rodata_end, locked_guard;
    unsigned n_satp, n_fence_all, n_fence_page, n_fence_code, n_reservation, n_guest_mode, n_wait,
        n_relax;
    gva_t          fenced_page;
    bool           traps_all;      // hart_traps_all()
    bool           timer_is_given; // hart_super_begin()
    unsigned       n_late;         // so often STIP was due before the hart had made it
    struct fp_regs fp;
    struct super   super; // the S-level CSRs; a guest of S-mode may change them in on_run
    unsigned       n_super_mode, n_super_update;
    unsigned       n_released;
};
// Each thread is a hart of its own.
extern _Thread_local struct fake_hart fake_hart;

// As after power-on: nothing written, nothing counted, the capabilities of QEMU 7.2's rv64 hart.
void fake_hart_reset(void);

// SPDX-License-Identifier: MIT
// The S-level CSRs of a guest that runs in S-mode, at each of its exits.
#pragma once

#include "arch/riscv/csr_access.h"
#include "arch/super.h"

// UXL, which some harts let S-mode write, is none of the guest's, but it must be put back.
#define HELD_STATUS                                                                                \
    (STATUS_SIE | STATUS_SPIE | STATUS_SPP | STATUS_SUM | STATUS_MXR | STATUS_MPP | STATUS_UXL)

static ALWAYS_INLINE void super_status_set(u64 status)
{
    csr_write(mstatus, bits_merge(csr_read(mstatus), status, HELD_STATUS));
}

static ALWAYS_INLINE void super_enabled_set(u64 enabled)
{
    csr_write(mie, bits_merge(csr_read(mie), enabled, INT_S));
}

// On QEMU the deadline before this one may come while it is replaced: STIP is then made of it, and
// stays, and it may have been another guest's.  At the second write there is none that could come,
// and STIP is cleared.  (QEMU 8.0 and later also take ~0 for "never", and leave the deadline before
// it running.)
static ALWAYS_INLINE void super_timecmp_set(u64 deadline_ticks)
{
    csr_write(0x14d, TIMECMP_FAR);
    csr_write(0x14d, deadline_ticks);
}

// On QEMU a write of mstatus that changes MPP or SUM flushes translations, and one of mip or
// stimecmp takes a lock.  It makes STIP of the time a while after that has come, but at once when
// stimecmp is written.  (On a hart that is late then, too, a guest that waits comes by once more.)
static ALWAYS_INLINE void hart_super_update(const struct super *to, const struct super *held,
                                            bool timer)
{
    if (to->status != held->status)
        super_status_set(to->status);
    if (to->pending != held->pending)
        csr_write(mip, to->pending);
    if (to->enabled != held->enabled)
        super_enabled_set(to->enabled);
    if (to->tvec != held->tvec)
        csr_write(stvec, to->tvec);
    if (to->epc != held->epc)
        csr_write(sepc, to->epc);
    if (to->cause != held->cause)
        csr_write(scause, to->cause);
    if (to->tval != held->tval)
        csr_write(stval, to->tval);
    if (timer && to->timecmp != held->timecmp)
        super_timecmp_set(to->timecmp);
    else if (timer && to->pending & ~held->pending & BIT(IRQ_STI)) // it may be late
        csr_write(0x14d, to->timecmp);
}

static ALWAYS_INLINE void hart_super_look(struct super *s)
{
    u64 pending = csr_read(mip) & INT_S;

    if (pending & BIT(IRQ_SSI))
        csr_clear(mip, BIT(IRQ_SSI));
    s->status  = csr_read(mstatus) & HELD_STATUS;
    s->pending = pending;
}

static ALWAYS_INLINE void hart_super_read(struct super *s, bool timer)
{
    s->enabled = csr_read(mie) & INT_S;
    s->tvec    = csr_read(stvec);
    s->epc     = csr_read(sepc);
    s->cause   = csr_read(scause);
    s->tval    = csr_read(stval);
    if (timer)
        s->timecmp = csr_read(0x14d);
}

// SPDX-License-Identifier: MIT
// Proofs: traps into vS and back do what the privileged architecture says, for all states of the
// CSRs.
#include "proof.h"

#include "vm/inject.c"

void prove_sret(void);
void prove_exception(void);
void prove_interrupt(void);

static unsigned n_dropped;

void hart_reservation_drop(void)
{
    n_dropped++;
}

void sched_wake(struct vcpu *v)
{
    (void)v;
}

static struct vcpu v;

static void vcpu_make(void)
{
    v.mode        = nondet_bool() ? MODE_S : MODE_U;
    v.csr.mstatus = nondet_u64();
    v.csr.sepc    = nondet_u64();
    v.csr.scause  = nondet_u64();
    v.csr.stval   = nondet_u64();
    v.csr.stvec   = nondet_u64();
    v.csr.mie     = nondet_u64();
    v.csr.mip     = nondet_u64();
    v.irq_lines   = nondet_u64();
    v.f.pc        = nondet_u64();
    v.exc.cause   = nondet_u64();
    v.exc.tval    = nondet_u64();
    v.pending     = 0;
    n_dropped     = 0;
    ASSUME((v.csr.stvec & 3) < 2);
}

static bool bit(u64 word, unsigned n)
{
    return word >> n & 1;
}

// 3.1.6.1 and 3.3.2
void prove_sret(void)
{
    vcpu_make();

    struct vcpu old = v;
    u64         now, kept = ~(BIT(1) | BIT(5) | BIT(8));

    vcpu_return_from_s(&v);
    now = v.csr.mstatus;
    CLAIM(v.mode == (bit(old.csr.mstatus, 8) ? MODE_S : MODE_U));
    CLAIM(v.f.pc == old.csr.sepc);
    CLAIM(bit(now, 1) == bit(old.csr.mstatus, 5));
    CLAIM(bit(now, 5));
    CLAIM(!bit(now, 8));
    CLAIM((now & kept) == (old.csr.mstatus & kept));
    CLAIM(v.mode == old.mode || (v.pending & PEND_FOLLOW && n_dropped));
    CLAIM(!((old.csr.mip | old.irq_lines) & old.csr.mie & 0x222) || v.pending & PEND_IRQ);
    CLAIM(v.csr.sepc == old.csr.sepc && v.csr.scause == old.csr.scause &&
          v.csr.stval == old.csr.stval);
}

static void entry_check(const struct vcpu *old, u64 cause, u64 tval)
{
    u64 now = v.csr.mstatus, kept = ~(BIT(1) | BIT(5) | BIT(8));
    u64 base = old->csr.stvec & ~3ul;

    CLAIM(v.mode == MODE_S);
    CLAIM(v.csr.sepc == old->f.pc && v.csr.scause == cause && v.csr.stval == tval);
    CLAIM(!bit(now, 1));
    CLAIM(bit(now, 5) == bit(old->csr.mstatus, 1));
    CLAIM(bit(now, 8) == (old->mode == MODE_S));
    CLAIM((now & kept) == (old->csr.mstatus & kept));
    CLAIM(v.f.pc ==
          (bit(old->csr.stvec, 0) && bit(cause, 63) ? base + 4 * (cause & ~BIT(63)) : base));
    CLAIM(v.mode == old->mode || v.pending & PEND_FOLLOW);
}

void prove_exception(void)
{
    vcpu_make();
    ASSUME(v.exc.cause < EXC_COUNT);

    struct vcpu old = v;

    vcpu_take_exception(&v);
    entry_check(&old, old.exc.cause, old.exc.tval);
}

// 3.1.9: SEI, SSI, STI in this order; from vU always, from vS if SIE.
void prove_interrupt(void)
{
    vcpu_make();

    struct vcpu old   = v;
    u64         ready = (old.csr.mip | old.irq_lines) & old.csr.mie;
    u64         which = bit(ready, 9) ? 9 : bit(ready, 1) ? 1 : bit(ready, 5) ? 5 : 0;

    if (old.mode == MODE_S && !bit(old.csr.mstatus, 1))
        which = 0;
    vcpu_take_interrupt(&v);
    if (which)
        entry_check(&old, BIT(63) | which, 0);
    else
        CLAIM(v.f.pc == old.f.pc && v.mode == old.mode && v.csr.mstatus == old.csr.mstatus &&
              v.csr.sepc == old.csr.sepc && v.csr.scause == old.csr.scause);
}

// SPDX-License-Identifier: MIT
// Traps of the virtual hart: into its S-mode and back (Priv. 1.12, 3.1.6.1, 4.1.1, 4.1.2, 4.1.8).
//
// In:     what raise() left; the virtual interrupt state; a return from vS.
// Out:    a new virtual mode, pc and S-level CSRs.
// Always: pc is set here, in run.c and nowhere else.  A change of mode leaves PEND_FOLLOW, since
//         what the hart may reach depends on it, and ends LR/SC reservations of the other context.
// Locks:  none; irq_lines may be changed by any hart and are changed atomically.
#include "vm/engine.h"
#include "vm/sched.h"

static void mode_set(struct vcpu *v, enum mode mode)
{
    if (v->mode == mode)
        return;
    v->mode = mode;
    hart_reservation_drop();
    pend(v, PEND_FOLLOW);
}

static void enter_s(struct vcpu *v, u64 cause, u64 tval)
{
    u64 *status = &v->csr.mstatus, base = v->csr.stvec & ~TVEC_MODE;

    *status = field_set(*status, STATUS_SPP, v->mode == MODE_S);
    *status = field_set(*status, STATUS_SPIE, !!(*status & STATUS_SIE));
    *status &= ~STATUS_SIE;
    v->csr.sepc   = v->f.pc;
    v->csr.scause = cause;
    v->csr.stval  = tval;
    v->f.pc       = base;
    if ((v->csr.stvec & TVEC_MODE) == TVEC_VECTORED && cause & CAUSE_INTERRUPT)
        v->f.pc += 4 * (cause & ~CAUSE_INTERRUPT);
    mode_set(v, MODE_S);
}

void vcpu_take_exception(struct vcpu *v)
{
    v->stats.reflected++;
    enter_s(v, v->exc.cause, v->exc.tval);
}

void vcpu_take_interrupt(struct vcpu *v)
{
    static const u8 by_priority[] = { IRQ_SEI, IRQ_SSI, IRQ_STI }; // 3.1.9
    u64             ready         = vcpu_interrupts(v);

    if (!ready || (v->mode == MODE_S && !(v->csr.mstatus & STATUS_SIE)))
        return;
    for (unsigned i = 0; i < ARRAY_LEN(by_priority); i++)
        if (ready & BIT(by_priority[i])) {
            v->stats.injected++;
            enter_s(v, CAUSE_INTERRUPT | by_priority[i], 0);
            return;
        }
}

void vcpu_was_interrupted(struct vcpu *v)
{
    if (!v->engine->s_is_real) // there it is we who interrupt
        return;
    v->stats.injected++;
    v->is_counted = true;
}

void vcpu_return_from_s(struct vcpu *v)
{
    u64      *status = &v->csr.mstatus;
    enum mode to     = *status & STATUS_SPP ? MODE_S : MODE_U;

    *status = field_set(*status, STATUS_SIE, !!(*status & STATUS_SPIE));
    *status |= STATUS_SPIE;
    *status &= ~STATUS_SPP;
    v->f.pc = v->csr.sepc;
    mode_set(v, to);
    if (vcpu_interrupts(v))
        pend(v, PEND_IRQ);
}

void vcpu_line_set(struct vcpu *v, u64 bits, bool up)
{
    lines_store(v, bits, up);
    if (up) {
        pend(v, PEND_IRQ);
        sched_wake(v);
    }
}

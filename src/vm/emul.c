// SPDX-License-Identifier: MIT
// Privileged instructions, executed on the guest's behalf.
//
// In:     an illegal-instruction trap.
// Out:    the instruction's effect on the virtual hart; or an illegal instruction for the guest:
//         its kernel is told that one of its processes committed a violation, or that it did so
//         itself.
// Always: the virtual mode is checked before anything changes.
// Locks:  none.
#include "vm/csr.h"
#include "vm/engine.h"
#include "vm/fetch.h"
#include "vm/sched.h"

typedef bool emulator(struct vcpu *v, const struct insn *i, enum outcome *o);

static bool emul_sret(struct vcpu *v, const struct insn *i, enum outcome *o)
{
    (void)i;
    vcpu_return_from_s(v);
    *o = RESUME;
    return true;
}

static bool emul_wfi(struct vcpu *v, const struct insn *i, enum outcome *o)
{
    (void)i;
    *o = sched_wait(v);
    return true;
}

static bool emul_sfence(struct vcpu *v, const struct insn *i, enum outcome *o)
{
    (void)o;
    shadow_fence(v, i->rs1, gva(reg_get(v, i->rs1)), i->rs2, reg_get(v, i->rs2));
    return true;
}

// Svinval: the invalidation is done at once, so the fences around it have nothing to do.
static bool emul_sinval(struct vcpu *v, const struct insn *i, enum outcome *o)
{
    return v->vm->isa->has & EXT_SVINVAL && emul_sfence(v, i, o);
}

static bool emul_sinval_fence(struct vcpu *v, const struct insn *i, enum outcome *o)
{
    (void)i, (void)o;
    return v->vm->isa->has & EXT_SVINVAL;
}

// clang-format off
// All of these belong to S-mode; an emulator answers false if the virtual hart lacks the
// instruction.
static emulator *const emulators[OP_COUNT] = {
    [OP_SRET]            = emul_sret,
    [OP_WFI]             = emul_wfi,
    [OP_SFENCE_VMA]      = emul_sfence,
    [OP_SINVAL_VMA]      = emul_sinval,
    [OP_SFENCE_W_INVAL]  = emul_sinval_fence,
    [OP_SFENCE_INVAL_IR] = emul_sinval_fence,
};
// clang-format on

enum outcome emul_illegal(struct vcpu *v, const struct trap *t)
{
    enum outcome o   = NEXT;
    u32          raw = (u32)t->tval;

    v->step = 4; // none of what we execute here has a compressed form

    // A hart may leave the instruction out of mtval (3.1.16).
    if (!raw && !fetch_insn(v, &raw))
        return RESUME; // its page has vanished: the guest will fault on it by itself

    struct insn i = insn_decode(raw);

    if (i.op == OP_CSR && v->mode == MODE_U && v->engine->s_is_real)
        super_learn_counters(v);
    if (i.op == OP_CSR && csr_execute(v, i.raw))
        return NEXT;
    if (v->mode >= MODE_S && emulators[i.op] && emulators[i.op](v, &i, &o))
        return o;
    return raise(v, EXC_ILLEGAL_INSN, raw);
}

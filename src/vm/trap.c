// SPDX-License-Identifier: MIT
// Traps of a guest: by cause to whoever knows what to do.
//
// In:     an exception's cause and tval, as the hart said them once.
// Out:    an outcome.
// Always: what has no row is the guest's own exception, as it is.
// Locks:  vm->lock is held.
#include "vm/vm.h"

typedef enum outcome trap_handler(struct vcpu *v, const struct trap *t);

static enum access_kind kind_of(u64 cause)
{
    switch (cause) {
    case EXC_FETCH_PAGE_FAULT: return ACCESS_FETCH;
    case EXC_LOAD_PAGE_FAULT:  return ACCESS_READ;
    default:                   return ACCESS_WRITE;
    }
}

// The access fault that belongs to a page fault: 12 -> 1, 13 -> 5, 15 -> 7.
static enum exc access_fault_of(u64 cause)
{
    switch (cause) {
    case EXC_FETCH_PAGE_FAULT: return EXC_FETCH_ACCESS;
    case EXC_LOAD_PAGE_FAULT:  return EXC_LOAD_ACCESS;
    default:                   return EXC_STORE_ACCESS;
    }
}

static enum outcome on_page_fault(struct vcpu *v, const struct trap *t)
{
    gpa_t at;

    switch (shadow_fill(v, gva(t->tval), kind_of(t->cause), &at)) {
    case SHADOW_FILLED:       return RESUME;
    case SHADOW_PAGE_FAULT:   return raise(v, t->cause, t->tval);
    case SHADOW_ACCESS_FAULT: return raise(v, access_fault_of(t->cause), t->tval);
    case SHADOW_NOT_RAM:      break;
    }
    if (t->cause == EXC_FETCH_PAGE_FAULT)
        return raise(v, EXC_FETCH_ACCESS, t->tval);
    return mmio_emulate(v, t, kind_of(t->cause), at);
}

// The virtual mode says whose it is: real U-mode may be either.
static enum outcome on_ecall(struct vcpu *v, const struct trap *t)
{
    (void)t;
    return v->mode == MODE_U ? raise(v, EXC_ECALL_U, 0) : sbi_call(v);
}

// clang-format off
static trap_handler *const on_cause[EXC_COUNT] = {
    [EXC_ILLEGAL_INSN]     = emul_illegal,
    [EXC_ECALL_U]          = on_ecall,
    [EXC_ECALL_S]          = on_ecall,
    [EXC_FETCH_PAGE_FAULT] = on_page_fault,
    [EXC_LOAD_PAGE_FAULT]  = on_page_fault,
    [EXC_STORE_PAGE_FAULT] = on_page_fault,
};
// clang-format on

enum outcome trap_handle(struct vcpu *v, const struct trap *t)
{
    if (t->cause >= EXC_COUNT)
        return stop(v, "it crashed: the hart reported an exception that no standard defines");
    v->stats.traps[t->cause]++;
    return on_cause[t->cause] ? on_cause[t->cause](v, t) : raise(v, t->cause, t->tval);
}

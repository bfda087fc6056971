// SPDX-License-Identifier: MIT
// Records of traps.
//
// In:     a trap, before and after it was handled; accesses to devices.
// Out:    records, for people and programs to read; a followed system call.
// Always: a record changes nothing that a guest sees.  The ring overwrites its oldest, so a guest
//         can neither fill nor stop anything by trapping.  While a vCPU is traced its hart sends
//         every trap the long way (hart_traps_all()); otherwise the hot path knows nothing of this.
// Locks:  the records are written by the hart that runs the vCPU; read under vm_hold().
#include "vm/trace.h"

#include "dev/clock.h"
#include "vm/csr.h"
#include "vm/fetch.h"
#include "vm/gmem.h"

#define INSN_ECALL 0x73
#define REG_A2     12

// clang-format off
const struct trace_row trace_rows[TRACE_KINDS] = {
    [TRACE_CSR]       = { "csr",       "CSR instructions emulated",                 { "old", "new" } },
    [TRACE_SRET]      = { "sret",      "returns from the guest's traps",            { "sstatus" } },
    [TRACE_WFI]       = { "wfi",       "waits for an interrupt",                    { NULL } },
    [TRACE_FENCE]     = { "fence",     "fences of translations",                    { "address", "asid" } },
    [TRACE_ECALL]     = { "ecall",     "system calls of processes",                 { "a7", "a0", "a1", "a2", "sstatus" } },
    [TRACE_SBI]       = { "sbi",       "calls of the firmware",                     { "a7", "a6", "a0", "error", "result" } },
    [TRACE_PAGE]      = { "page",      "translations filled in",                    { NULL } },
    [TRACE_MMIO]      = { "mmio",      "accesses to devices",                       { "offset", "value", "sector", "partition_first", "physical_sector" } },
    [TRACE_EXCEPTION] = { "exception", "other exceptions, given to the guest",      { "scause", "stval", "sstatus" } },
    [TRACE_VIOLATION] = { "violation", "what a process must not do, given likewise", { "scause", "stval", "sstatus", "leads_to" } },
    [TRACE_INTERRUPT] = { "interrupt", "interrupts given to the guest",             { "sstatus" } },
    [TRACE_MACHINE]   = { "machine",   "interrupts of the machine meanwhile",       { NULL } },
};

// What the instructions of the SYSTEM opcode are for.
static const u8 kind_of_op[OP_COUNT] = {
    [OP_CSR]             = 1 + TRACE_CSR,
    [OP_SRET]            = 1 + TRACE_SRET,
    [OP_MRET]            = 1 + TRACE_EXCEPTION,
    [OP_WFI]             = 1 + TRACE_WFI,
    [OP_SFENCE_VMA]      = 1 + TRACE_FENCE,
    [OP_SINVAL_VMA]      = 1 + TRACE_FENCE,
    [OP_SFENCE_W_INVAL]  = 1 + TRACE_FENCE,
    [OP_SFENCE_INVAL_IR] = 1 + TRACE_FENCE,
};
// clang-format on

static u64 sstatus_of(const struct vcpu *v)
{
    return csr_get(v, csr_find(CSR_SSTATUS));
}

static bool is_page_fault(u64 cause)
{
    return cause == EXC_LOAD_PAGE_FAULT || cause == EXC_STORE_PAGE_FAULT ||
           cause == EXC_FETCH_PAGE_FAULT;
}

// --- before the trap is handled ------------------------------------------------------------------

// The instruction that trapped, if it can be read; nothing changes by that.
static u32 insn_at_pc(const struct vcpu *v)
{
    u16 low, high = 0;

    if (!fetch_bytes(v, gva(v->f.pc), ACCESS_FETCH, &low, sizeof low))
        return 0;
    if (insn_len(low) == 4 && !fetch_bytes(v, gva(v->f.pc + 2), ACCESS_FETCH, &high, sizeof high))
        return 0;
    return (u32)high << 16 | low;
}

static u32 insn_of(const struct vcpu *v, u64 cause, u64 tval)
{
    if (cause == EXC_ECALL_U)
        return INSN_ECALL;
    if (cause == EXC_ILLEGAL_INSN && tval)
        return (u32)tval;
    return cause & CAUSE_INTERRUPT || cause == EXC_FETCH_PAGE_FAULT ? 0 : insn_at_pc(v);
}

// What the trap is for, if it can be done.
static enum trace_kind kind_of(const struct vcpu *v, u64 cause, const struct insn *i)
{
    if (cause & CAUSE_INTERRUPT)
        return TRACE_INTERRUPT;
    if (cause == EXC_ECALL_U)
        return v->mode == MODE_U ? TRACE_ECALL : TRACE_SBI;
    if (cause == EXC_ILLEGAL_INSN && kind_of_op[i->op])
        return kind_of_op[i->op] - 1;
    return is_page_fault(cause) ? TRACE_PAGE : TRACE_EXCEPTION;
}

// The CSR that the instruction names; NULL: the VM has none of that number.
static u64 csr_value(const struct vcpu *v, const struct insn *i)
{
    const struct csr_row *row = csr_find((unsigned)i->imm);

    return row ? csr_get(v, row) : 0;
}

static void values_before(const struct vcpu *v, struct record *r, const struct insn *i)
{
    switch (r->kind) {
    case TRACE_CSR: r->value[0] = csr_value(v, i); break;
    case TRACE_FENCE:
        r->value[0] = reg_get(v, i->rs1);
        r->value[1] = reg_get(v, i->rs2);
        break;
    case TRACE_ECALL:
        r->value[0] = reg_get(v, REG_A7);
        r->value[1] = reg_get(v, REG_A0);
        r->value[2] = reg_get(v, REG_A1);
        r->value[3] = reg_get(v, REG_A2);
        break;
    case TRACE_SBI:
        r->value[0] = reg_get(v, REG_A7);
        r->value[1] = reg_get(v, REG_A6);
        r->value[2] = reg_get(v, REG_A0);
        break;
    default: break;
    }
}

void trace_begin(struct vcpu *v, u64 cause, u64 tval)
{
    struct record *r = &v->trace.open;
    struct insn    i = insn_decode(insn_of(v, cause, tval));

    *r = (struct record){ .at_ticks     = clock_now(),
                          .pc           = v->f.pc,
                          .tval         = tval,
                          .insn         = i.raw,
                          .kind         = kind_of(v, cause, &i),
                          .mode         = v->mode,
                          .cause        = (u8)cause,
                          .is_interrupt = cause >> 63 };
    values_before(v, r, &i);
    v->vm->record = r;
}

// --- while it is handled -------------------------------------------------------------------------

static u8 device_number(const struct bus *b, const struct vdev *d)
{
    for (unsigned i = 0; i < b->n; i++)
        if (b->devices[i] == d)
            return (u8)(i + 1);
    return 0;
}

void trace_device(struct vdev *d, const struct mmio *m)
{
    struct record *r = d->vm->record;

    r->kind     = TRACE_MMIO;
    r->device   = device_number(&d->vm->bus, d);
    r->value[0] = m->off;
    r->value[1] = m->value;
}

void trace_sector(struct vm *vm, u64 sector, u64 first, bool is_there)
{
    struct record *r = vm->record;

    if (LIKELY(!r))
        return;
    r->has_sector = true;
    r->is_refused = !is_there;
    r->value[2]   = sector;
    r->value[3]   = first;
    r->value[4]   = is_there ? first + sector : 0;
}

// --- after it was handled ------------------------------------------------------------------------

static enum access_kind access_of(const struct record *r)
{
    switch (r->cause) {
    case EXC_FETCH_PAGE_FAULT: return ACCESS_FETCH;
    case EXC_LOAD_PAGE_FAULT:  return ACCESS_READ;
    default:                   return ACCESS_WRITE;
    }
}

// The kernel could have made the access, and its process could not: it reached for what is the
// kernel's.  Then *leads_to is where.
static bool is_kernels(const struct vcpu *v, const struct record *r, u64 *leads_to)
{
    struct walk_rules rules = v->vm->walk_base;
    struct leaf       leaf;

    rules.mxr = true;
    if (!is_page_fault(r->cause) || !walk_levels(v->csr.satp) ||
        walk(v->csr.satp, gva(r->tval), access_of(r), &rules, gmem_pte, v->vm, &leaf) != WALK_OK)
        return false;
    *leads_to = leaf.pa;
    return true;
}

// A process that executes a privileged instruction, or touches what is the kernel's.
static bool is_violation(struct vcpu *v, struct record *r)
{
    struct insn i = insn_decode(r->insn);

    if (r->mode != MODE_U)
        return false;
    if (r->cause == EXC_ILLEGAL_INSN)
        return kind_of_op[i.op];
    if (!is_kernels(v, r, &r->value[3]))
        return false;
    r->device = bus_owner_number(&v->vm->bus, gpa(r->value[3]));
    return true;
}

static void close_reflected(struct vcpu *v, struct record *r)
{
    if (r->kind == TRACE_ECALL)
        return;
    *r      = (struct record){ .at_ticks     = r->at_ticks,
                               .pc           = r->pc,
                               .to           = r->to,
                               .tval         = r->tval,
                               .insn         = r->insn,
                               .mode         = r->mode,
                               .to_mode      = r->to_mode,
                               .cause        = r->cause,
                               .is_interrupt = r->is_interrupt };
    r->kind = is_violation(v, r) ? TRACE_VIOLATION : TRACE_EXCEPTION;

    r->value[0] = v->csr.scause;
    r->value[1] = v->csr.stval;
    r->value[2] = sstatus_of(v);
}

static void values_after(const struct vcpu *v, struct record *r)
{
    struct insn i = insn_decode(r->insn);

    switch (r->kind) {
    case TRACE_CSR:       r->value[1] = csr_value(v, &i); break;
    case TRACE_ECALL:     r->value[4] = sstatus_of(v); break;
    case TRACE_INTERRUPT: r->cause = (u8)v->csr.scause; // fall through
    case TRACE_SRET:      r->value[0] = sstatus_of(v); break;
    case TRACE_SBI:
        r->value[3] = reg_get(v, REG_A0);
        r->value[4] = reg_get(v, REG_A1);
        break;
    default: break;
    }
}

static void follow(struct follower *f, const struct record *r)
{
    if (r->kind == (f->what == FOLLOW_VIOLATION ? TRACE_VIOLATION : TRACE_ECALL)) {
        f->state   = FOLLOW_ON;
        f->n       = 0;
        f->omitted = 0;
        f->reached = f->what == FOLLOW_VIOLATION;
    }
    if (f->state != FOLLOW_ON)
        return;
    f->reached |= f->what == FOLLOW_DISK ? r->has_sector : r->kind == TRACE_MMIO;
    if (f->n == FOLLOW_MAX) { // the last place is the newest's
        f->n--;
        f->omitted++;
    }
    f->records[f->n++] = *r;
    if (r->to_mode == MODE_U && r->kind == TRACE_SRET)
        f->state = f->reached ? FOLLOW_DONE : FOLLOW_ARMED;
}

static void on_update(struct vcpu *v)
{
    enum follow state = v->trace.follower.state;

    v->trace.on = v->trace.kinds || state == FOLLOW_ARMED || state == FOLLOW_ON;
    pend(v, PEND_RESCHED); // when it comes onto its hart again, the hart's traps are set
}

static void put(struct vcpu *v, const struct record *r)
{
    struct follower *f = &v->trace.follower;

    if (v->trace.kinds & BIT(r->kind))
        v->trace.ring[v->trace.n++ % TRACE_RING] = *r;
    if ((f->state != FOLLOW_ARMED && f->state != FOLLOW_ON) || r->kind == TRACE_MACHINE)
        return;
    follow(f, r);
    if (f->state == FOLLOW_DONE)
        on_update(v);
}

void trace_end(struct vcpu *v, bool reflected)
{
    struct record *r = &v->trace.open;

    v->vm->record = NULL;
    if (r->kind == TRACE_INTERRUPT && v->mode == r->mode && v->f.pc == r->pc)
        return; // none was to be taken
    r->to      = v->f.pc;
    r->to_mode = v->mode;
    if (reflected)
        close_reflected(v, r);
    values_after(v, r);
    put(v, r);
}

void trace_machine(struct vcpu *v)
{
    struct record r = { .at_ticks     = clock_now(),
                        .pc           = v->f.pc,
                        .to           = v->f.pc,
                        .kind         = TRACE_MACHINE,
                        .mode         = v->mode,
                        .to_mode      = v->mode,
                        .cause        = (u8)v->f.cause,
                        .is_interrupt = true };

    put(v, &r);
}

void trace_note_exit(struct vcpu *v)
{
    struct exit *e = &v->trace.exits[v->trace.n_exits++ % TRACE_EXITS];

    *e = (struct exit){ v->f.pc, v->f.cause, v->f.tval, v->mode };
}

// --- for the monitor -----------------------------------------------------------------------------

void trace_set(struct vcpu *v, u32 kinds)
{
    v->trace.kinds = kinds;
    on_update(v);
}

void trace_follow(struct vcpu *v, enum follow_what what)
{
    struct follower *f = &v->trace.follower;

    f->state       = FOLLOW_ARMED;
    f->what        = what;
    f->n           = 0;
    f->omitted     = 0;
    f->since_ticks = clock_now();
    on_update(v);
}

void trace_follow_end(struct vcpu *v, enum follow state)
{
    v->trace.follower.state = state;
    on_update(v);
}

const struct record *trace_record(const struct vcpu *v, u64 n)
{
    u64 kept = min_u64(v->trace.n, TRACE_RING);

    return n < kept ? &v->trace.ring[(v->trace.n - kept + n) % TRACE_RING] : NULL;
}

const struct exit *trace_exit(const struct vcpu *v, u64 n)
{
    u64 kept = min_u64(v->trace.n_exits, TRACE_EXITS);

    return n < kept ? &v->trace.exits[(v->trace.n_exits - kept + n) % TRACE_EXITS] : NULL;
}

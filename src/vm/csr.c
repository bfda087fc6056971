// SPDX-License-Identifier: MIT
// Virtual CSRs (Priv. 1.12, chapters 2 and 4; Unprivileged ISA, "Zicsr").
//
// In:     a CSR instruction of the guest's.
// Out:    its effect on the virtual hart; or "no", and then it is an illegal instruction.
// Always: a refused access changes nothing.  What a write implies elsewhere is left as a pending
//         bit.
// Locks:  none; a vCPU's CSRs are its own, but for mip.  The hot path runs with the guest's tp, so
//         nothing in it may ask for hart_index().
#include "vm/csr.h"

#include "arch/hart.h"
#include "dev/clock.h"
#include "vm/vm.h"

// This file is compiled so that its callees preserve t2 to t6 (see the Makefile).  What lies in
// other files does not, and is called through trap.S.
#ifdef __riscv
void timer_set_kept(struct vcpu *v, u64 deadline_ticks);
u64  clock_now_kept(void);
#else
#define timer_set_kept timer_set
#define clock_now_kept clock_now
#endif

#define STATUS_RESET    STATUS_UXL_64
#define STATUS_WRITABLE (SSTATUS_WRITABLE)
#define SSTATUS_WRITABLE                                                                           \
    (STATUS_SIE | STATUS_SPIE | STATUS_SPP | STATUS_VS | STATUS_FS | STATUS_SUM | STATUS_MXR)
#define SSTATUS_VISIBLE (SSTATUS_WRITABLE | STATUS_XS | STATUS_UXL | STATUS_SD)

// FS, VS and SD live in the hart, which makes them Dirty by itself (3.1.6.6); they are never
// stored.
#define STATUS_LIVE (STATUS_FS | STATUS_VS | STATUS_SD)

static ALWAYS_INLINE u64 live_status(const struct vcpu *v, u64 stored)
{
    (void)v;
    return stored | hart_ext_status();
}

#define STATUS_PLAIN (STATUS_SIE | STATUS_SPIE | STATUS_SPP) // what a kernel changes at every turn

static ALWAYS_INLINE u64 hook_status(struct vcpu *v, u64 old, u64 changed)
{
    if (UNLIKELY(changed & ~STATUS_PLAIN)) {
        if (changed & v->vm->ext_bits)
            hart_ext_status_set(hart_ext_status() ^ (changed & v->vm->ext_bits));
        if (changed & (STATUS_SUM | STATUS_MXR))
            pend(v, PEND_FOLLOW);
        changed &= ~STATUS_LIVE;
    }
    if (changed & ~old & STATUS_SIE && vcpu_interrupts(v))
        pend(v, PEND_IRQ);
    return old ^ changed;
}

// A line that a device holds up is seen, but never stored.
static ALWAYS_INLINE u64 live_irq(const struct vcpu *v, u64 stored)
{
    return stored | __atomic_load_n(&v->irq_lines, __ATOMIC_RELAXED);
}

static ALWAYS_INLINE u64 hook_irq(struct vcpu *v, u64 old, u64 changed)
{
    if (changed & ~old)
        pend(v, PEND_IRQ);
    return old ^ changed;
}

// What changes is counted from what is seen; to clear a line's bit must not set the stored one.
static ALWAYS_INLINE u64 hook_pending(struct vcpu *v, u64 old, u64 changed)
{
    return hook_irq(v, old, changed & (old | ~lines_of(v)));
}

// Reserved modes leave the register as it was; WARL lets us choose, and QEMU's harts do so.
static ALWAYS_INLINE u64 hook_tvec(struct vcpu *v, u64 old, u64 changed)
{
    (void)v;
    return ((old ^ changed) & TVEC_MODE) > TVEC_VECTORED ? old : old ^ changed;
}

static ALWAYS_INLINE u64 hook_counter(struct vcpu *v, u64 old, u64 changed)
{
    pend(v, PEND_FOLLOW);
    return (old ^ changed) & hart_caps.scounteren_mask;
}

static ALWAYS_INLINE u64 hook_envcfg(struct vcpu *v, u64 old, u64 changed)
{
    pend(v, PEND_FOLLOW);
    return (old ^ changed) & hart_caps.senvcfg_mask;
}

static u64 hook_timecmp(struct vcpu *v, u64 old, u64 changed)
{
    timer_set_kept(v, old ^ changed);
    return old ^ changed;
}

// A mode that the hart lacks makes the whole write void, ASID and PPN and all (4.1.11).
static ALWAYS_INLINE u64 hook_satp(struct vcpu *v, u64 old, u64 changed)
{
    u64 new = old ^ changed, mode = field_get(new, SATP_MODE);

    if (mode != SATP_BARE && !(v->vm->satp_modes & BIT(mode)))
        return old;
    new = field_set(new, SATP_ASID, field_get(new, SATP_ASID) & (BIT(hart_caps.asid_bits) - 1));
    if (new != old)
        pend(v, PEND_FOLLOW);
    return new;
}

// Only for harts whose own `time` traps; elsewhere the guest reads it directly.
static u64 live_time(const struct vcpu *v, u64 stored)
{
    (void)v, (void)stored;
    return clock_now_kept();
}

#define CSR_REG(number, name, reset, writable, needs, hook, live)                                  \
    { number, offsetof(struct csrs, name), needs, reset, ~0ul, writable, hook, live, #name },
#define CSR_VIEW(number, name, window, visible, writable, needs, hook, live)                       \
    { number, offsetof(struct csrs, window), needs, 0, visible, writable, hook, live, #name },
const struct csr_row csr_rows[] = {
#include "vm/csr.def"
};
#undef CSR_REG
#undef CSR_VIEW
const size_t csr_n_rows = ARRAY_LEN(csr_rows);

// From number to row, in one load: 1 + the row's place in csr_rows[], 0 for none.
enum csr_place {
    NONE,
#define CSR_REG(number, name, reset, writable, needs, hook, live)            PLACE_##name,
#define CSR_VIEW(number, name, window, visible, writable, needs, hook, live) PLACE_##name,
#include "vm/csr.def"
#undef CSR_REG
#undef CSR_VIEW
};
static const u8 csr_place[4096] = {
#define CSR_REG(number, name, reset, writable, needs, hook, live) [number] = PLACE_##name,
#define CSR_VIEW(number, name, window, visible, writable, needs, hook, live)                       \
    [number] = PLACE_##name,
#include "vm/csr.def"
#undef CSR_REG
#undef CSR_VIEW
};

const struct csr_row *csr_find(unsigned number)
{
    u8 place = number < ARRAY_LEN(csr_place) ? csr_place[number] : 0;

    return place ? &csr_rows[place - 1] : NULL;
}

static inline u64 *storage_of(struct vcpu *v, const struct csr_row *row)
{
    return (u64 *)(void *)((char *)&v->csr + row->offset);
}

// Counters can be closed to U by scounteren (4.1.5).
static ALWAYS_INLINE bool counter_is_closed(const struct vcpu *v, unsigned number)
{
    return number >= CSR_CYCLE && number < CSR_CYCLE + 32 && v->mode == MODE_U &&
           !(v->csr.scounteren & BIT(number - CSR_CYCLE));
}

static ALWAYS_INLINE bool is_admitted(const struct vcpu *v, const struct csr_row *row, bool writes)
{
    if (v->mode < CSR_NUMBER_MODE(row->number) || (writes && CSR_NUMBER_READ_ONLY(row->number)))
        return false;
    return !(row->needs && !(v->vm->isa->has & row->needs)) && !counter_is_closed(v, row->number);
}

// Another vCPU may set SSIP in our mip at any moment (SBI, IPI): what does not change must not be
// stored, and the rest not lose what came meanwhile.
static ALWAYS_INLINE void store(u64 *storage, const struct csr_row *row, u64 old, u64 to)
{
    if (row->offset != offsetof(struct csrs, mip)) {
        *storage = to;
        return;
    }
    if (old & ~to)
        __atomic_fetch_and(storage, ~(old & ~to), __ATOMIC_ACQ_REL);
    if (to & ~old)
        __atomic_fetch_or(storage, to & ~old, __ATOMIC_ACQ_REL);
}

// Inlined once for each row, so that the compiler knows the row: a kernel's trap entry and exit
// come here several times each.
enum done { REFUSED, DONE, DONE_HOOKED }; // a hook may have left something pending

static ALWAYS_INLINE enum done row_execute(struct vcpu *v, u32 raw, const struct csr_row *row)
{
    unsigned source = insn_rs1(raw), op = insn_funct3(raw) & 3;
    bool     writes = op == CSR_OP_WRITE || source;

    if (!is_admitted(v, row, writes))
        return REFUSED;

    u64 *storage = storage_of(v, row), old = __atomic_load_n(storage, __ATOMIC_RELAXED);
    u64  seen = (row->live ? row->live(v, old) : old) & row->visible;

    if (writes) {
        u64 operand = insn_funct3(raw) & 4 ? source : reg_get(v, source);
        u64 to = op == CSR_OP_WRITE ? operand : op == CSR_OP_SET ? seen | operand : seen & ~operand;
        u64 changed = (seen ^ to) & row->writable;

        store(storage, row, old, row->hook ? row->hook(v, old, changed) : old ^ changed);
    }
    reg_set(v, insn_rd(raw), seen);
    return row->hook ? DONE_HOOKED : DONE;
}

// Rows that are rare or call far away would make the hot path longer for the others.
#define IS_RARE(row)                                                                               \
    ((row)->needs || CSR_NUMBER_READ_ONLY((row)->number) || (row)->number == CSR_SSTATUS ||        \
     (row)->number == CSR_SIP || CSR_NUMBER_MODE((row)->number) == MODE_M)

#define CSR_REG(number, name, ...)                                                                 \
    case PLACE_##name:                                                                             \
        return hot && IS_RARE(&csr_rows[PLACE_##name - 1])                                         \
                   ? REFUSED                                                                       \
                   : row_execute(v, raw, &csr_rows[PLACE_##name - 1]);
#define CSR_VIEW CSR_REG
static ALWAYS_INLINE enum done any_execute(struct vcpu *v, u32 raw, u64 number, bool hot)
{
    switch (csr_place[number]) {
#include "vm/csr.def"
    default: return REFUSED;
    }
}
#undef CSR_REG
#undef CSR_VIEW

bool csr_execute(struct vcpu *v, u32 raw)
{
    return any_execute(v, raw, raw >> 20, false) != REFUSED;
}

// x0 to x2, x5, x6 and x10 to x17: what trap.S loads in any case.  The Makefile has this file
// compiled so that the other registers are preserved.
#define LOADED_ANYWAY 0x3fc67

static ALWAYS_INLINE u64 hot_verdict(const struct vcpu *v, u32 raw, enum done done)
{
    if (done == REFUSED)
        return HOT_NO;
    if (done == DONE_HOOKED && UNLIKELY(__atomic_load_n(&v->pending, __ATOMIC_RELAXED)))
        return HOT_PENDING;
    return LOADED_ANYWAY >> insn_rd(raw) & 1 ? HOT_SCRATCH : HOT_ALL;
}

// A kernel changes sstatus.SIE with each lock it takes, and sstatus costs the most: it goes round
// the table, and the two instructions for that round the row too.
#define CSR_IMM_2(op)   (CSR_SSTATUS << 8 | STATUS_SIE << 3 | 4 | (op)) // raw without rd and opcode
#define SSTATUS_SIE_OFF CSR_IMM_2(CSR_OP_CLEAR)
#define SSTATUS_SIE_ON  CSR_IMM_2(CSR_OP_SET)

static ALWAYS_INLINE enum done sie_write(struct vcpu *v, u32 raw, bool on)
{
    u64 old = v->csr.mstatus;

    if (UNLIKELY(v->mode < MODE_S))
        return REFUSED;
    v->csr.mstatus = on ? old | STATUS_SIE : old & ~STATUS_SIE;
    reg_set(v, insn_rd(raw), live_status(v, old));
    if (!on)
        return DONE;
    if (vcpu_interrupts(v))
        pend(v, PEND_IRQ);
    return DONE_HOOKED;
}

static __attribute__((noinline)) u64 hot_sstatus(struct vcpu *v, u32 raw)
{
    if (raw >> 12 == SSTATUS_SIE_OFF)
        return hot_verdict(v, raw, sie_write(v, raw, false));
    if (raw >> 12 == SSTATUS_SIE_ON)
        return hot_verdict(v, raw, sie_write(v, raw, true));
    return hot_verdict(v, raw, row_execute(v, raw, &csr_rows[PLACE_sstatus - 1]));
}

u64 trap_hot(struct frame *f, u64 insn)
{
    struct vcpu *v      = vcpu_of_frame(f);
    u32          raw    = (u32)insn;
    u64          number = insn << 32 >> 52; // raw >> 20, in two instructions less

    if (!insn_is_csr(raw))
        return HOT_NO;
    if (number == CSR_SSTATUS)
        return hot_sstatus(v, raw);
    return hot_verdict(v, raw, any_execute(v, raw, number, true));
}

u64 csr_get(const struct vcpu *v, const struct csr_row *row)
{
    const void *storage = (const char *)&v->csr + row->offset;
    u64         stored  = __atomic_load_n((const u64 *)storage, __ATOMIC_RELAXED);

    return (row->live ? row->live(v, stored) : stored) & row->visible;
}

void csr_reset(struct vcpu *v)
{
    for (const struct csr_row *row = csr_rows; row < csr_rows + ARRAY_LEN(csr_rows); row++)
        if (row->visible == ~0ul && row->number != CSR_TIME)
            *storage_of(v, row) = row->reset;
}

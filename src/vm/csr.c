// SPDX-License-Identifier: MIT
// Virtual CSRs (Priv. 1.12, chapters 2 and 4; Unprivileged ISA, "Zicsr").
//
// In:     a CSR instruction of the guest's.
// Out:    its effect on the virtual hart; or "no", and then it is an illegal instruction.
// Always: a refused access changes nothing.  What a write implies elsewhere is left as a pending bit.
// Locks:  none; a vCPU's CSRs are its own.
#include "vm/csr.h"

#include "arch/hart.h"
#include "dev/clock.h"
#include "vm/vm.h"

#define STATUS_RESET     (XL_64 << 32) // UXL
#define STATUS_WRITABLE  (SSTATUS_WRITABLE)
#define SSTATUS_WRITABLE                                                                           \
    (STATUS_SIE | STATUS_SPIE | STATUS_SPP | STATUS_VS | STATUS_FS | STATUS_SUM | STATUS_MXR)
#define SSTATUS_VISIBLE (SSTATUS_WRITABLE | STATUS_XS | STATUS_UXL | STATUS_SD)
#define STATUS_FOLLOWED (STATUS_SUM | STATUS_MXR)

// FS and VS live in the hart, which sets them to Dirty by itself; SD sums them up (3.1.6.6).
static u64 live_status(const struct vcpu *v, u64 stored)
{
    u64 ext = hart_ext_status() & v->vm->ext_status_mask;

    stored = (stored & ~(STATUS_FS | STATUS_VS | STATUS_SD)) | ext;
    if ((ext & STATUS_FS) == STATUS_FS || (ext & STATUS_VS) == STATUS_VS)
        stored |= STATUS_SD;
    return stored;
}

static u64 hook_status(struct vcpu *v, u64 old, u64 new)
{
    u64 ext = new & v->vm->ext_status_mask;

    if (ext != (hart_ext_status() & v->vm->ext_status_mask))
        hart_ext_status_set(ext);
    if ((old ^ new) & STATUS_FOLLOWED)
        pend(v, PEND_FOLLOW);
    if (new & ~old & STATUS_SIE && vcpu_interrupts(v))
        pend(v, PEND_IRQ);
    return new & ~(STATUS_FS | STATUS_VS | STATUS_SD);
}

// A line that a device holds up is seen, but never stored.
static u64 live_irq(const struct vcpu *v, u64 stored)
{
    return stored | v->irq_lines;
}

static u64 hook_irq(struct vcpu *v, u64 old, u64 new)
{
    if (new & ~old)
        pend(v, PEND_IRQ);
    return new;
}

// Reserved modes leave the register as it was; WARL lets us choose, and QEMU's harts do so.
static u64 hook_tvec(struct vcpu *v, u64 old, u64 new)
{
    (void)v;
    return (new & TVEC_MODE) > TVEC_VECTORED ? old : new;
}

static u64 hook_counter(struct vcpu *v, u64 old, u64 new)
{
    (void)old;
    pend(v, PEND_FOLLOW);
    return new & hart_caps.scounteren_mask;
}

static u64 hook_envcfg(struct vcpu *v, u64 old, u64 new)
{
    (void)old;
    pend(v, PEND_FOLLOW);
    return new & hart_caps.senvcfg_mask;
}

static u64 hook_timecmp(struct vcpu *v, u64 old, u64 new)
{
    (void)old;
    timer_set(v, new);
    return new;
}

// A mode that the hart lacks makes the whole write void, ASID and PPN and all (4.1.11).
static u64 hook_satp(struct vcpu *v, u64 old, u64 new)
{
    u64 mode = field_get(new, SATP_MODE);

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
    return clock_now();
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
#define CSR_REG(number, name, reset, writable, needs, hook, live)          PLACE_##name,
#define CSR_VIEW(number, name, window, visible, writable, needs, hook, live) PLACE_##name,
#include "vm/csr.def"
#undef CSR_REG
#undef CSR_VIEW
};
static const u8 csr_place[4096] = {
#define CSR_REG(number, name, reset, writable, needs, hook, live)          [number] = PLACE_##name,
#define CSR_VIEW(number, name, window, visible, writable, needs, hook, live) [number] = PLACE_##name,
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
static bool counter_is_closed(const struct vcpu *v, unsigned number)
{
    return number >= CSR_CYCLE && number < CSR_CYCLE + 32 && v->mode == MODE_U &&
           !(v->csr.scounteren & BIT(number - CSR_CYCLE));
}

bool csr_execute(struct vcpu *v, u32 raw)
{
    unsigned              number = raw >> 20, source = insn_rs1(raw), op = insn_funct3(raw);
    const struct csr_row *row = csr_find(number);
    u64                   operand = op & 4 ? source : reg_get(v, source);
    bool                  writes  = (op & 3) == CSR_OP_WRITE || source;

    if (!row || v->mode < CSR_NUMBER_MODE(number) || (writes && CSR_NUMBER_READ_ONLY(number)))
        return false;
    if (UNLIKELY(row->needs && !(v->vm->isa_has & row->needs)) || counter_is_closed(v, number))
        return false;

    u64 *storage = storage_of(v, row);
    u64  old = *storage, seen = (row->live ? row->live(v, old) : old) & row->visible;

    if (writes) {
        u64 new = (op & 3) == CSR_OP_WRITE ? operand
                  : (op & 3) == CSR_OP_SET ? seen | operand
                                           : seen & ~operand;
        new     = bits_merge(old, new, row->writable);
        *storage = row->hook ? row->hook(v, old, new) : new;
    }
    reg_set(v, insn_rd(raw), seen);
    return true;
}

u64 csr_get(const struct vcpu *v, const struct csr_row *row)
{
    u64 stored = *(const u64 *)(const void *)((const char *)&v->csr + row->offset);

    return (row->live ? row->live(v, stored) : stored) & row->visible;
}

void csr_reset(struct vcpu *v)
{
    for (const struct csr_row *row = csr_rows; row < csr_rows + ARRAY_LEN(csr_rows); row++)
        if (row->visible == ~0ul && row->number != CSR_TIME)
            *storage_of(v, row) = row->reset;
}

// SPDX-License-Identifier: MIT
// arch/hart.h over a fake: the host's tests see what the monitor does to its hart.
//
// In:     calls of the code under test.
// Out:    the same, recorded in fake_hart; the test's hooks called.
// Always: nothing happens by itself: time and interrupts are the test's, but for the time in which
//         the hart waits awake.
// Locks:  none; each thread has a hart of its own, and what all harts have in common is set before.
#include "arch/host/fake.h"

#include "arch/lock.h"

#include <string.h>

struct hart_caps hart_caps;

_Thread_local struct fake_hart fake_hart;

static u64 misa_of(const char *letters)
{
    u64 misa = BIT(63);

    for (; *letters; letters++)
        misa |= BIT(*letters - 'a');
    return misa;
}

void fake_hart_reset(void)
{
    memset(&fake_hart, 0, sizeof fake_hart);
    fake_hart.ext_has = STATUS_FS;
    hart_caps         = (struct hart_caps){
                .misa            = misa_of("imafdcsu"),
                .arch            = 0x70200,
                .impl            = 0x70200,
                .sv39            = true,
                .sv48            = true,
                .sv57            = true,
                .asid_bits       = 16,
                .pmp_entries     = 16,
                .pmp_grain       = 4,
                .scounteren_mask = BITS(31, 0),
                .senvcfg_mask    = ENVCFG_FIOM | ENVCFG_CBIE | ENVCFG_CBCFE | ENVCFG_CBZE,
                .scause_mask     = ~0ul,
                .time_csr        = true,
                .menvcfg         = true,
                .stimecmp        = true,
                .fp              = true,
    };
}

void hart_probe(struct hart_caps *c)
{
    *c = hart_caps;
}

u32 hart_index(void)
{
    return fake_hart.index;
}

u64 hart_instret(void)
{
    return fake_hart.instret;
}

void harts_release(void)
{
    fake_hart.n_released++;
}

void fp_save(struct fp_regs *to)
{
    *to = fake_hart.fp;
}

void fp_load(const struct fp_regs *from)
{
    fake_hart.fp = *from;
}

// The fake hart has no vectors.
void vector_save(struct vector_regs *to, u64 vlenb)
{
    memset(to, 0, sizeof *to + 32 * vlenb);
}

void vector_load(const struct vector_regs *from, u64 vlenb)
{
    (void)from, (void)vlenb;
}

u32 hart_id(void)
{
    return fake_hart.id;
}

u64 hart_time_csr(void)
{
    return fake_hart.time;
}

void hart_irq_enable(u64 bits)
{
    fake_hart.irq_enabled = bits;
}

u64 hart_irq_pending(void)
{
    u64 more = fake_hart.more_irqs ? fake_hart.more_irqs() : 0;

    return (fake_hart.irq_pending | more) & fake_hart.irq_enabled;
}

void hart_wait(void)
{
    fake_hart.n_wait++;
    if (fake_hart.on_wait)
        fake_hart.on_wait();
}

// Whoever waits awake waits for time to pass.
void hart_relax(void)
{
    fake_hart.n_relax++;
    fake_hart.time += 10;
    if (fake_hart.on_relax)
        fake_hart.on_relax();
}

u64 hart_ext_status(void)
{
    u64  ext   = fake_hart.ext_status;
    bool dirty = (ext & STATUS_FS) == STATUS_FS || (ext & STATUS_VS) == STATUS_VS;

    return ext | (dirty ? STATUS_SD : 0);
}

void hart_ext_status_set(u64 bits)
{
    fake_hart.ext_status = bits & fake_hart.ext_has;
}

void hart_satp_set(u64 satp)
{
    fake_hart.satp = satp;
    fake_hart.n_satp++;
    if (fake_hart.on_satp)
        fake_hart.on_satp(satp);
    if (!(satp & SATP_ASID))
        hart_fence_all();
}

void hart_fence_all(void)
{
    fake_hart.n_fence_all++;
    if (fake_hart.on_fence)
        fake_hart.on_fence(false, gva(0));
}

void hart_fence_page(gva_t va)
{
    fake_hart.n_fence_page++;
    fake_hart.fenced_page = va;
    if (fake_hart.on_fence)
        fake_hart.on_fence(true, va);
}

bool last_words_take(void)
{
    return true;
}

bool last_words_are_mine(void)
{
    return false;
}

void hart_fence_devices(void)
{
}

void hart_fence_code(void)
{
    fake_hart.n_fence_code++;
}

u64 hart_counters(void)
{
    return fake_hart.super.counteren;
}

void hart_counters_set(u64 scounteren)
{
    fake_hart.scounteren = scounteren;
}

void hart_envcfg_set(u64 senvcfg)
{
    fake_hart.senvcfg = senvcfg;
}

void hart_reservation_drop(void)
{
    fake_hart.n_reservation++;
}

void hart_traps_all(bool all)
{
    fake_hart.traps_all = all;
}

void hart_guest_mode_init(void)
{
    fake_hart.n_guest_mode++;
}

void hart_super_begin(bool timer)
{
    fake_hart.n_super_mode++;
    fake_hart.timer_is_given = timer;
}

void hart_super_load(const struct super *to, bool timer)
{
    fake_hart.super = *to;
    if (!timer)
        fake_hart.super.timecmp = TIMECMP_FAR;
}

// As on the real hart: what does not differ from what it is said to hold is not written.
void hart_super_update(const struct super *to, const struct super *held, bool timer)
{
    struct super *s = &fake_hart.super;

    fake_hart.n_super_update += memcmp(to, held, sizeof *to) != 0;
    fake_hart.n_late += timer && to->pending & ~held->pending & BIT(IRQ_STI);
    s->status  = to->status != held->status ? to->status : s->status;
    s->pending = to->pending != held->pending ? to->pending : s->pending;
    s->enabled = to->enabled != held->enabled ? to->enabled : s->enabled;
    s->tvec    = to->tvec != held->tvec ? to->tvec : s->tvec;
    s->epc     = to->epc != held->epc ? to->epc : s->epc;
    s->cause   = to->cause != held->cause ? to->cause : s->cause;
    s->tval    = to->tval != held->tval ? to->tval : s->tval;
    s->timecmp = timer && to->timecmp != held->timecmp ? to->timecmp : s->timecmp;
}

// With the timer, STIP is what the time says, whatever was written.
void hart_super_look(struct super *held)
{
    const struct super *now = &fake_hart.super;

    held->status  = now->status;
    held->pending = now->pending;
    if (fake_hart.timer_is_given)
        held->pending = bits_merge(held->pending, fake_hart.time >= now->timecmp ? BIT(IRQ_STI) : 0,
                                   BIT(IRQ_STI));
    fake_hart.super.pending &= ~BIT(IRQ_SSI);
}

void hart_super_read(struct super *held, bool timer)
{
    const struct super *now = &fake_hart.super;

    held->enabled = now->enabled;
    held->tvec    = now->tvec;
    held->epc     = now->epc;
    held->cause   = now->cause;
    held->tval    = now->tval;
    if (timer)
        held->timecmp = now->timecmp;
}

void hart_super_end(struct super *held)
{
    held->scratch           = fake_hart.super.scratch;
    held->counteren         = fake_hart.super.counteren;
    held->envcfg            = fake_hart.super.envcfg;
    fake_hart.super.enabled = held->enabled = 0;
}

void pmp_lock_monitor(u64 base, u64 text_end, u64 rodata_end, u64 guard)
{
    fake_hart.locked_base       = base;
    fake_hart.locked_text_end   = text_end;
    fake_hart.locked_rodata_end = rodata_end;
    fake_hart.locked_guard      = guard;
}

void pmp_window_set(const struct pmp_range *ram, const struct pmp_range *tables)
{
    fake_hart.ram    = *ram;
    fake_hart.tables = *tables;
}

void guest_run(struct frame *f)
{
    fake_hart.on_run(f);
}

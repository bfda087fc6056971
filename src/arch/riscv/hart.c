// SPDX-License-Identifier: MIT
// The real hart: its CSRs, what it has, its fences.
//
// In:     requests of the layers above, in values.
// Out:    CSR accesses.
// Always: nothing here knows of virtual machines.  Probing leaves each CSR as it was.
// Locks:  none; each hart touches only its own CSRs.
#include "arch/hart.h"

#include "arch/lock.h"
#include "arch/riscv/csr_access.h"

#include <string.h>

struct hart_caps hart_caps;

static u32 last_words; // 1 + the index of the hart that has them

static u64 writable_bits_scounteren(void)
{
    u64 ones = ~0ul, old = csr_read(scounteren);

    csr_write(scounteren, ones);
    u64 got = csr_read(scounteren);
    csr_write(scounteren, old);
    return got;
}

static u64 writable_bits_scause(void)
{
    csr_write(scause, ~0ul);
    return csr_read(scause);
}

// senvcfg came with 1.12; older harts trap.
static u64 writable_bits_senvcfg(void)
{
    u64 ones = ~0ul, zero = 0, got = 0;

    if (!csr_try("csrw 0x10a, %[reg]", ones))
        return 0;
    (void)csr_try("csrr %[reg], 0x10a", got);
    (void)csr_try("csrw 0x10a, %[reg]", zero);
    return got;
}

// A mode that the hart lacks makes the write void (4.1.11).
static bool has_satp_mode(enum satp_mode mode)
{
    u64 satp = field_set(0, SATP_MODE, mode);

    csr_write(satp, satp);
    return csr_read(satp) == satp;
}

static void probe_paging(struct hart_caps *c)
{
    c->sv39 = has_satp_mode(SATP_SV39);
    c->sv48 = has_satp_mode(SATP_SV48);
    c->sv57 = has_satp_mode(SATP_SV57);
    csr_write(satp, field_set(SATP_ASID, SATP_MODE, SATP_SV39));
    c->asid_bits = (unsigned)__builtin_popcountl(field_get(csr_read(satp), SATP_ASID));
    csr_write(satp, 0);
    hart_fence_all();
}

#define PROBE_PMP(n)                                                                               \
    do {                                                                                           \
        u64 ones_ = ~0ul, got_ = 0, zero_ = 0;                                                     \
        if (c->pmp_entries == (n) && csr_try_write(pmpaddr##n, ones_) &&                           \
            csr_try_read(pmpaddr##n, got_) && got_) {                                              \
            c->pmp_entries = (n) + 1;                                                              \
            (void)csr_try_write(pmpaddr##n, zero_);                                                \
        }                                                                                          \
    } while (0)

// Entries that exist take a value; the lowest bit that sticks tells the granularity (3.7.1).
static void probe_pmp(struct hart_caps *c)
{
    u64 ones = ~0ul, got = 0;

    if (csr_try_write(pmpaddr0, ones) && csr_try_read(pmpaddr0, got) && got)
        c->pmp_grain = 4ul << __builtin_ctzl(got);
    PROBE_PMP(0);
    PROBE_PMP(1);
    PROBE_PMP(2);
    PROBE_PMP(3);
    PROBE_PMP(4);
    PROBE_PMP(5);
    PROBE_PMP(6);
    PROBE_PMP(7);
    PROBE_PMP(8);
    PROBE_PMP(9);
    PROBE_PMP(10);
    PROBE_PMP(11);
    PROBE_PMP(12);
    PROBE_PMP(13);
    PROBE_PMP(14);
    PROBE_PMP(15);
}

// Sstc: menvcfg.STCE gives it to S-mode.
static bool has_stimecmp(void)
{
    u64  old = csr_read(0x30a), ignored = 0;
    bool has;

    csr_write(0x30a, old | ENVCFG_STCE);
    has = csr_read(0x30a) & ENVCFG_STCE && csr_try("csrr %[reg], 0x14d", ignored);
    csr_write(0x30a, old);
    return has;
}

static bool is_known(u32 number)
{
    static const u16 known[] = { CSR_SSTATUS, CSR_SIE,  CSR_STVEC,  CSR_SCOUNTEREN,
                                 CSR_SENVCFG, CSR_SEPC, CSR_SCAUSE, CSR_SSCRATCH,
                                 CSR_STVAL,   CSR_SIP,  CSR_SATP,   CSR_STIMECMP };

    for (unsigned i = 0; i < ARRAY_LEN(known); i++)
        if (known[i] == number)
            return true;
    return false;
}

static void probe_super(struct hart_caps *c)
{
    extern bool csr_s_exists(unsigned n); // csr_scan.S

    for (unsigned n = 0; n < 4 * 256 && !c->s_unknown; n++) {
        u32 number = (n / 256) << 10 | 0x100 | n % 256;

        if (csr_s_exists(n) && !is_known(number))
            c->s_unknown = number;
    }
}

// Not every hart that has vectors says V (Zve32x and others).
static NOINLINE u64 vector_bytes(void)
{
    u64 old = csr_read(mstatus), bytes = 0;

    csr_write(mstatus, old | STATUS_VS);
    if (!(csr_read(mstatus) & STATUS_VS) || !csr_try("csrr %[reg], 0xc22", bytes)) // vlenb
        bytes = 0;
    csr_write(mstatus, old);
    return bytes;
}

// Zfinx: fcsr is there whatever FS says, and nothing else is that could be switched by it.
static NOINLINE bool has_finx(void)
{
    u64  old = csr_read(mstatus), ignored = 0;
    bool has;

    csr_write(mstatus, old & ~STATUS_FS);
    has = csr_try("csrr %[reg], 0x003", ignored);
    csr_write(mstatus, old);
    return has;
}

void hart_probe(struct hart_caps *c)
{
    u64 ignored = 0;

    memset(c, 0, sizeof *c);

    c->misa   = csr_read(misa);
    c->vendor = csr_read(mvendorid);
    c->arch   = csr_read(marchid);
    c->impl   = csr_read(mimpid);
    c->h      = c->misa & BIT('h' - 'a');
    c->fp     = c->misa & BIT('d' - 'a') && !(c->misa & BIT('q' - 'a'));
    c->finx   = has_finx();
    c->vlenb  = vector_bytes();
    if (c->misa & BIT('s' - 'a')) {
        probe_paging(c);
        c->scounteren_mask = writable_bits_scounteren();
        c->scause_mask     = writable_bits_scause();
        c->senvcfg_mask    = writable_bits_senvcfg();
        probe_super(c);
    }
    probe_pmp(c);
    c->time_csr = csr_try_read(time, ignored);
    c->menvcfg  = csr_try("csrr %[reg], 0x30a", ignored);
    c->stimecmp = c->menvcfg && c->time_csr && has_stimecmp();
}

u32 hart_id(void)
{
    return (u32)csr_read(mhartid);
}

u64 hart_time_csr(void)
{
    return csr_read(time);
}

u64 hart_instret(void)
{
    return csr_read(minstret);
}

void harts_release(void)
{
    extern u32 harts_released; // start.S

    __atomic_store_n(&harts_released, 1, __ATOMIC_RELEASE);
}

NORETURN void hart_park(void)
{
    NORETURN extern void park(void); // start.S

    park();
}

bool last_words_take(void)
{
    u32 nobody = 0;

    return __atomic_compare_exchange_n(&last_words, &nobody, hart_index() + 1, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
           !last_words_are_mine();
}

bool last_words_are_mine(void)
{
    u32 whose = __atomic_load_n(&last_words, __ATOMIC_RELAXED);

    if (whose && whose != hart_index() + 1)
        hart_park();
    return whose;
}

static u64 enabled[MAX_HARTS]; // what mie holds for the monitor

void hart_irq_enable(u64 bits)
{
    enabled[hart_index()] = bits;
    csr_write(mie, bits);
}

u64 hart_irq_pending(void)
{
    return csr_read(mip) & enabled[hart_index()];
}

void hart_wait(void)
{
    __asm__ volatile("wfi" ::: "memory");
}

// "pause" (Zihintpause): a fence that orders nothing where it is not known.
void hart_relax(void)
{
    __asm__ volatile(".option push; .option arch, +zihintpause; pause; .option pop" ::: "memory");
}

void hart_satp_set(u64 satp)
{
    csr_write(satp, satp);
    if (!(satp & SATP_ASID))
        hart_fence_all();
}

void hart_fence_all(void)
{
    __asm__ volatile("sfence.vma" ::: "memory");
}

void hart_fence_page(gva_t va)
{
    __asm__ volatile("sfence.vma %0" ::"r"(va.a) : "memory");
}

void hart_fence_devices(void)
{
    __asm__ volatile("fence iorw, iorw" ::: "memory");
}

void hart_fence_code(void)
{
    __asm__ volatile("fence.i" ::: "memory");
}

void hart_counters_set(u64 scounteren)
{
    csr_write(scounteren, scounteren);
}

u64 hart_counters(void)
{
    return csr_read(scounteren);
}

void hart_envcfg_set(u64 senvcfg)
{
    if (hart_caps.senvcfg_mask)
        csr_write(0x10a, senvcfg);
}

// The store of an SC that fails or succeeds, on memory of ours, ends any reservation (Unpriv.,
// "A").
void hart_reservation_drop(void)
{
    u64 scratch, ignored;

    __asm__ volatile("sc.d %0, zero, (%1)" : "=&r"(ignored) : "r"(&scratch) : "memory");
}

// Cache-block operations belong to the guest.  cbo.inval is executed as a flush: what stood in
// memory before it was cleared must not come back (3.1.18).  Memory types do not: see leaf_map().
static void envcfg_init(u64 timer)
{
    if (hart_caps.menvcfg)
        csr_write(0x30a, field_set(ENVCFG_CBCFE | ENVCFG_CBZE | timer, ENVCFG_CBIE, 1));
}

// MPP = U and MIE = 0: interrupts are taken while a guest runs, never in the monitor.
static void guests_begin(u64 exceptions, u64 interrupts, u64 traps, u64 timer)
{
    envcfg_init(timer);
    csr_write(medeleg, exceptions);
    csr_write(mideleg, interrupts);
    csr_write(mcounteren, ~0u);
    csr_write(mstatus, traps | STATUS_UXL_64);
}

void hart_guest_mode_init(void)
{
    guests_begin(0, 0, STATUS_TVM | STATUS_TW | STATUS_TSR, 0);
}

void hart_super_begin(bool timer)
{
    guests_begin(BIT(EXC_ECALL_U), INT_S, STATUS_TVM | STATUS_TW, timer ? ENVCFG_STCE : 0);
}

void hart_super_load(const struct super *to, bool timer)
{
    if (timer)
        super_timecmp_set(to->timecmp);
    else if (hart_caps.stimecmp) // it is the one before's, of which QEMU makes STIP all the same
        csr_write(0x14d, TIMECMP_FAR);
    super_status_set(to->status);
    csr_write(mip, to->pending);
    super_enabled_set(to->enabled);
    csr_write(stvec, to->tvec);
    csr_write(sepc, to->epc);
    csr_write(scause, to->cause);
    csr_write(stval, to->tval);
    csr_write(sscratch, to->scratch);
    hart_counters_set(to->counteren);
    hart_envcfg_set(to->envcfg);
}

void hart_super_end(struct super *s)
{
    s->scratch   = csr_read(sscratch);
    s->counteren = csr_read(scounteren);
    s->envcfg    = hart_caps.senvcfg_mask ? csr_read(0x10a) : 0;
    s->enabled   = 0;
    super_enabled_set(0);
}

void hart_traps_all(bool all)
{
    extern const char trap_entry[], trap_entry_all[]; // trap.S

    csr_write(mtvec, all ? trap_entry_all : trap_entry);
}

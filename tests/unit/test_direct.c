// SPDX-License-Identifier: MIT
// The engine in which vS is real: what the hart holds while the guest runs is the guest's, what the
// monitor sees meanwhile is what the guest left, and nobody's bit is lost on the way.
#include "dev/machine.h"
#include "unit.h"

#include "vdev/board.h"


static struct rig *r;
static void (*body)(struct super *s); // the guest, between two traps
static unsigned n_entries, n_more; // so often it comes back in the same turn
static u64      held_mode; // MPP at the last entry

// It runs, and ends with an instruction that is nobody's business but vcpu_settle()'s.
static void guest(struct frame *f)
{
    n_entries++;
    held_mode = field_get(fake_hart.super.status, STATUS_MPP);
    if (body)
        body(&fake_hart.super);
    f->cause = CAUSE_INTERRUPT | IRQ_MTI;
    if (n_more)
        n_more--;
    else
        pend(r->v, PEND_RESCHED);
}

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r                = rig_make(NULL);
    r->v->own_engine = &engine_direct;
    r->v->loaded_on  = ~0u;
    fake_hart.on_run = guest;
    body             = NULL;
    n_entries = n_more = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

static void turn(void (*of)(struct super *s))
{
    body = of;
    vcpu_run(r->v);
}

static const struct hart_caps *caps_with(bool h, u32 s_unknown, bool fp, bool sv39)
{
    static struct hart_caps caps;

    caps           = hart_caps;
    caps.h         = h;
    caps.s_unknown = s_unknown;
    caps.fp        = fp;
    caps.sv39      = sv39;
    return &caps;
}

TEST(what_it_could_not_switch_it_refuses)
{
    assert_null(engine_direct.refuses(caps_with(false, 0, true, true)));
    assert_string_equal(engine_direct.refuses(caps_with(true, 0, true, true)),
                        "direct would give a guest the hypervisor extension; use classic");
    assert_string_equal(engine_direct.refuses(caps_with(false, 0x5a8, true, true)),
                        "the hart has S-level registers that direct cannot switch; use classic");
    assert_string_equal(engine_direct.refuses(caps_with(false, 0, false, true)),
                        "the hart has FP registers that direct cannot switch; use classic");
    assert_string_equal(engine_direct.refuses(caps_with(false, 0, true, false)),
                        "the hart has no Sv39");
}

TEST(auto_takes_the_fastest_that_does_not_refuse)
{
    const char *why = NULL;

    assert_ptr_equal(engine_choose("auto", &why), &engine_direct);
    assert_null(why);
    assert_ptr_equal(engine_choose("classic", &why), &engine_classic);
    hart_caps.h = true;
    assert_ptr_equal(engine_choose("auto", &why), &engine_classic);
    assert_null(engine_choose("direct", &why));
    assert_string_equal(why, "direct would give a guest the hypervisor extension; use classic");
    assert_null(engine_choose("steam", &why));
    assert_string_equal(why, "no such engine; there are: auto, direct, classic");
    hart_caps.h = false;
}

static struct super seen;

static void look(struct super *s)
{
    seen = *s;
}

static void leave_other_values(struct super *s)
{
    seen = *s;
    *s   = (struct super){ .status    = STATUS_SPP | STATUS_MXR,
                           .enabled   = BIT(IRQ_STI),
                           .tvec      = 0x10,
                           .epc       = 0x20,
                           .cause     = EXC_ECALL_U,
                           .tval      = 0x30,
                           .scratch   = 0x40,
                           .counteren = 1,
                           .envcfg    = ENVCFG_CBZE };
}

TEST(the_registers_go_and_come_back)
{
    struct csrs *c = &r->v->csr;

    c->mstatus |= STATUS_SPIE | STATUS_SUM;
    c->mie        = BIT(IRQ_SEI);
    c->stvec      = 0x1000;
    c->sepc       = 0x2000;
    c->scause     = EXC_BREAKPOINT;
    c->stval      = 0x3000;
    c->sscratch   = 0x4000;
    c->scounteren = 7;
    c->senvcfg    = ENVCFG_FIOM;
    turn(leave_other_values);
    EXPECT_EQ(fake_hart.n_super_mode, 1, "the hart was prepared for S-mode");
    EXPECT_EQ(seen.status, STATUS_SPIE | STATUS_SUM | STATUS_UXL_64 | field_set(0, STATUS_MPP, MODE_S), "status");
    EXPECT_EQ(seen.enabled, BIT(IRQ_SEI), "sie");
    EXPECT_EQ(seen.tvec, 0x1000, "stvec");
    EXPECT_EQ(seen.epc, 0x2000, "sepc");
    EXPECT_EQ(seen.cause, EXC_BREAKPOINT, "scause");
    EXPECT_EQ(seen.tval, 0x3000, "stval");
    EXPECT_EQ(seen.scratch, 0x4000, "sscratch");
    EXPECT_EQ(seen.counteren, 7, "scounteren");
    EXPECT_EQ(seen.envcfg, ENVCFG_FIOM, "senvcfg");
    EXPECT_EQ(c->mstatus & (STATUS_SIE | STATUS_SPIE | STATUS_SPP | STATUS_SUM | STATUS_MXR),
              STATUS_SPP | STATUS_MXR, "status, left");
    EXPECT_EQ(c->mie, BIT(IRQ_STI), "sie, left");
    EXPECT_EQ(c->stvec, 0x10, "stvec, left");
    EXPECT_EQ(c->sepc, 0x20, "sepc, left");
    EXPECT_EQ(c->scause, EXC_ECALL_U, "scause, left");
    EXPECT_EQ(c->stval, 0x30, "stval, left");
    EXPECT_EQ(c->sscratch, 0x40, "sscratch, left");
    EXPECT_EQ(c->scounteren, 1, "scounteren, left");
    EXPECT_EQ(c->senvcfg, ENVCFG_CBZE, "senvcfg, left");
    EXPECT_EQ(r->v->mode, MODE_U, "the mode is where the hart was");
}

static void fall_to_u(struct super *s)
{
    s->status &= ~STATUS_MPP;
}

static void rise_to_s(struct super *s)
{
    s->status |= field_set(0, STATUS_MPP, MODE_S);
}

TEST(the_mode_is_where_the_hart_was)
{
    turn(fall_to_u);
    EXPECT_EQ(held_mode, MODE_S, "it began in vS");
    EXPECT_EQ(r->v->mode, MODE_U, "sret did not trap, and is known");
    turn(rise_to_s);
    EXPECT_EQ(held_mode, MODE_U, "it went on in vU");
    EXPECT_EQ(r->v->mode, MODE_S, "nor did the system call");
}

TEST(without_translation_each_mode_has_a_face)
{
    u64 of_s, of_u;

    turn(look);
    of_s = fake_hart.satp;
    turn(fall_to_u);
    turn(look);
    of_u = fake_hart.satp;
    assert_true(of_s && of_u && of_s != of_u);
    turn(rise_to_s);
    turn(look);
    EXPECT_EQ(fake_hart.satp, of_s, "back");
}

static void narrow(struct super *s)
{
    seen = *s;
    s->status &= ~STATUS_UXL;
    s->status |= 1ul << 32;
}

// Some harts let S-mode have 32-bit processes: not the next guest's.
TEST(processes_have_64_bits)
{
    turn(narrow);
    turn(narrow);
    EXPECT_EQ(seen.status & STATUS_UXL, STATUS_UXL_64, "put back");
    EXPECT_EQ(r->v->csr.mstatus & STATUS_UXL, STATUS_UXL_64, "and not the guest's");
}

static void clear_ssip(struct super *s)
{
    seen = *s;
    s->pending &= ~BIT(IRQ_SSI);
}

static void set_ssip(struct super *s)
{
    s->pending |= BIT(IRQ_SSI);
}

// Another hart's IPI while the guest runs.
static void ipi_meanwhile(struct super *s)
{
    seen = *s;
    s->pending &= ~BIT(IRQ_SSI);
    __atomic_fetch_or(&r->v->csr.mip, BIT(IRQ_SSI), __ATOMIC_ACQ_REL);
}

TEST(no_software_interrupt_is_lost_or_comes_back)
{
    r->v->csr.mip = BIT(IRQ_SSI);
    turn(clear_ssip);
    EXPECT_EQ(seen.pending, BIT(IRQ_SSI), "it is the hart's while the guest runs");
    EXPECT_EQ(r->v->csr.mip, 0, "cleared is cleared");
    turn(set_ssip);
    EXPECT_EQ(r->v->csr.mip, BIT(IRQ_SSI), "what it sent itself is pending");
    EXPECT_EQ(fake_hart.super.pending, 0, "and not the next guest's");
    turn(ipi_meanwhile);
    EXPECT_EQ(seen.pending, BIT(IRQ_SSI), "once");
    EXPECT_EQ(r->v->csr.mip, BIT(IRQ_SSI), "the one that came meanwhile");
    turn(clear_ssip);
    EXPECT_EQ(seen.pending, BIT(IRQ_SSI), "is given then");
    EXPECT_EQ(r->v->csr.mip, 0, "and is gone");
}

// What it sent itself waits for it behind each trap, since nobody has cleared it.
static void send_once(struct super *s)
{
    seen = *s;
    if (n_entries == 1)
        s->pending |= BIT(IRQ_SSI);
}

TEST(a_software_interrupt_outlives_traps)
{
    n_more = 2;
    turn(send_once);
    EXPECT_EQ(n_entries, 3, "one turn");
    EXPECT_EQ(seen.pending, BIT(IRQ_SSI), "it is there still");
}

TEST(lines_of_devices_are_the_harts_to_give)
{
    r->v->csr.mstatus |= STATUS_SIE;
    r->v->csr.mie   = INT_S;
    r->v->csr.stvec = 0x8000;
    __atomic_store_n(&r->v->irq_lines, BIT(IRQ_SEI), __ATOMIC_RELAXED);
    pend(r->v, PEND_IRQ);
    turn(look);
    EXPECT_EQ(seen.pending, BIT(IRQ_SEI), "the line");
    EXPECT_EQ(seen.cause, 0, "nothing was given by hand");
    EXPECT_EQ(seen.status & STATUS_SIE, STATUS_SIE, "and SIE is as it was");
    __atomic_store_n(&r->v->irq_lines, 0, __ATOMIC_RELAXED);
    turn(look);
    EXPECT_EQ(seen.pending, 0, "it fell");
}

static void take_interrupt(struct super *s)
{
    s->cause = CAUSE_INTERRUPT | IRQ_SEI;
    s->epc += 4;
}

TEST(what_the_hart_gave_is_counted)
{
    u64 before = r->v->stats.injected;

    turn(take_interrupt);
    EXPECT_EQ(r->v->stats.injected, before + 1, "one");
    turn(look);
    EXPECT_EQ(r->v->stats.injected, before + 1, "nothing since");
}

// Between two looks at scause there may have been several, each of which a device's access told.
TEST(what_it_claims_is_counted)
{
    u64 before = r->v->stats.injected;

    turn(look);
    for (u32 i = 0; i < 3; i++)
        vcpu_was_interrupted(r->v);
    turn(take_interrupt);
    EXPECT_EQ(r->v->stats.injected, before + 3, "each once");
    turn(take_interrupt);
    EXPECT_EQ(r->v->stats.injected, before + 4, "what nobody has told");
    r->v->engine = &engine_classic;
    vcpu_was_interrupted(r->v);
    EXPECT_EQ(r->v->stats.injected, before + 4, "classic counts by itself");
}

// The PLIC's claim is what tells.
TEST(a_claim_is_an_interrupt)
{
    u64 before;

    turn(look);
    before = r->v->stats.injected;
    EXPECT_EQ(rig_read(r, VPLIC_BASE + 0x201004, 4), 0, "nothing to be claimed");
    EXPECT_EQ(r->v->stats.injected, before, "so nothing was");
    rig_write(r, VPLIC_BASE + 4 * 9, 4, 1);
    rig_write(r, VPLIC_BASE + 0x2080, 4, BIT(9));
    r->vm.irq_set(&r->vm, 9, true);
    EXPECT_EQ(rig_read(r, VPLIC_BASE + 0x201004, 4), 9, "claimed");
    EXPECT_EQ(r->v->stats.injected, before + 1, "one");
}

// The hart's stimecmp is the guest's own (Sstc): it sets it, and takes its interrupt, without a trap.
static void set_own_timer(struct super *s)
{
    seen       = *s;
    s->timecmp = 9000;
}

TEST(its_timer_is_the_harts)
{
    u64 injected;

    r->v->csr.stimecmp = 5000;
    fake_hart.time     = 1000;
    turn(set_own_timer);
    EXPECT_EQ(fake_hart.timer_is_given, true, "S-mode may use it");
    EXPECT_EQ(seen.timecmp, 5000, "what it was before");
    EXPECT_EQ(r->v->csr.stimecmp, 9000, "what it has set");
    EXPECT_EQ(timer_next(r->v), 9000, "when it is to be woken");
    EXPECT_EQ(timer_next_running(r->v), ~0ul, "while it runs nobody has to");
    EXPECT_EQ(lines_of(r->v), 0, "not yet due");
    fake_hart.time = 9000;
    turn(look);
    EXPECT_EQ(lines_of(r->v), BIT(IRQ_STI), "due");
    EXPECT_EQ(fake_hart.n_late, 0, "and the hart knows");
    fake_hart.time = 8999;
    injected       = r->v->stats.injected;
    turn(look);
    EXPECT_EQ(lines_of(r->v), 0, "it has moved on");
    EXPECT_EQ(r->v->stats.injected, injected + 1, "so it has taken the interrupt");
    r->v->csr.stimecmp = 7000; // by SBI
    turn(look);
    EXPECT_EQ(seen.timecmp, 7000, "the monitor has set it");
    EXPECT_EQ(lines_of(r->v), BIT(IRQ_STI), "and it is due");
}

// A hart may know of it a while after we do, and a guest that was woken for it would find nothing.
TEST(a_timer_that_is_due_is_pending_at_once)
{
    r->v->csr.stimecmp = 5000;
    fake_hart.time     = 4000;
    turn(look);
    EXPECT_EQ(fake_hart.n_late, 0, "it is not due");
    fake_hart.time = 5000;
    timer_check(r->v); // as for one that sleeps
    n_more = 2;
    turn(look);
    EXPECT_EQ(n_entries, 4, "two more in its second turn");
    EXPECT_EQ(fake_hart.n_late, 1, "it was written anew, once");
    turn(look);
    EXPECT_EQ(fake_hart.n_late, 1, "the hart knows");
    fake_hart.time = 4000;
    turn(look);
    turn(look);
    EXPECT_EQ(fake_hart.n_late, 1, "it is no longer due");
}

static void timer_is_emulated(void)
{
    r->v->csr.stimecmp = 5000;
    fake_hart.time     = 1000;
    turn(set_own_timer);
    EXPECT_EQ(r->v->csr.stimecmp, 5000, "the guest's stays");
    EXPECT_EQ(timer_next_running(r->v), 5000, "the monitor watches it");
    fake_hart.time = 5000;
    timer_check(r->v);
    turn(look);
    EXPECT_EQ(seen.pending & BIT(IRQ_STI), BIT(IRQ_STI), "and gives it");
    EXPECT_EQ(fake_hart.timer_is_given, false, "S-mode may not use it");
}

TEST(a_hart_without_stimecmp_has_an_emulated_timer)
{
    hart_caps.stimecmp = false;
    timer_is_emulated();
}

TEST(a_machine_that_does_not_tell_of_it_has_an_emulated_timer)
{
    machine.isa.has &= ~EXT_SSTC;
    fake_hart.super.timecmp = 3000; // of another, who was here before
    turn(look);
    EXPECT_EQ(seen.timecmp, TIMECMP_FAR, "STIP is made of nobody's");
    timer_is_emulated();
}

TEST(who_is_traced_has_an_emulated_timer)
{
    r->v->csr.stimecmp = 5000;
    fake_hart.time     = 1000;
    turn(set_own_timer);
    r->v->trace.on = true;
    turn(NULL);
    EXPECT_EQ(timer_next_running(r->v), 9000, "the monitor watches what the guest has set");
    r->v->csr.stimecmp = 8000;
    r->v->trace.on     = false;
    turn(look);
    EXPECT_EQ(seen.timecmp, 8000, "and the hart has it again");
}

// As after an access to a device that the vCPU remembers: nothing but the status was looked at.
TEST(what_was_not_asked_for_is_put_back_all_the_same)
{
    u64 *status = &fake_hart.super.status;

    r->v->engine->load(r->v);
    super_enter(r->v);
    *status = field_set(*status, STATUS_UXL, 1);
    super_leave(r->v);
    super_enter(r->v);
    EXPECT_EQ(*status & STATUS_UXL, STATUS_UXL_64, "UXL");
    super_leave(r->v);
    r->v->engine->save(r->v);
}

// A write of mstatus costs a flush on some harts, one of mip a lock.
TEST(what_did_not_change_is_not_written)
{
    unsigned before;

    turn(look);
    before = fake_hart.n_super_update;
    r->v->loaded_on = hart_index();
    turn(look);
    EXPECT_EQ(fake_hart.n_super_update, before, "nothing changed");
    r->v->csr.sepc ^= 8;
    turn(look);
    EXPECT_EQ(fake_hart.n_super_update, before + 1, "sepc did");
}

// A guest that reads a register of a device, again and again, and changes CSRs in between.
#define READS 4
static u64      stvec_at[READS]; // as the monitor knows it when the guest comes back
static unsigned n_reads, line_at;
static bool     stops;

static void reads_a_device(struct frame *f)
{
    struct super *s = &fake_hart.super;

    if (n_reads)
        stvec_at[n_reads - 1] = r->v->csr.stvec;
    if (n_reads == READS || (stops && n_reads == 2)) {
        seen     = *s;
        f->cause = CAUSE_INTERRUPT | IRQ_MTI;
        pend(r->v, PEND_RESCHED);
        return;
    }
    if (n_reads == line_at) // a device's, while the monitor is on its way
        __atomic_store_n(&r->v->irq_lines, BIT(IRQ_SEI), __ATOMIC_RELAXED);
    s->tvec    = 0x1000 * ++n_reads;
    s->enabled = n_reads & 1 ? BIT(IRQ_SEI) : BIT(IRQ_STI);
    s->epc += 4;
    f->pc    = VM_RAM_BASE;
    f->x[5]  = VUART_BASE;
    f->cause = EXC_LOAD_PAGE_FAULT;
    f->tval  = VUART_BASE + 7;
    if (stops && n_reads == 2)
        pend(r->v, PEND_RESCHED);
}

static void reads_begin(unsigned line, bool ends)
{
    static const u32 lbu = 0x0072c383; // lbu t2, 7(t0)

    assert_true(gmem_write(&r->vm, gpa(VM_RAM_BASE), &lbu, sizeof lbu));
    fake_hart.on_run = reads_a_device;
    memset(stvec_at, 0, sizeof stvec_at);
    n_reads = 0;
    line_at = line;
    stops   = ends;
    vcpu_run(r->v);
}

TEST(an_access_that_is_remembered_reads_no_csr)
{
    reads_begin(READS, false);
    EXPECT_EQ(r->v->stats.recalled, READS - 1, "all but the first");
    EXPECT_EQ(stvec_at[0], 0x1000, "the first one's was learnt");
    for (unsigned i = 1; i < READS; i++)
        EXPECT_EQ(stvec_at[i], 0x1000, "%u: was not", i);
    EXPECT_EQ(seen.tvec, 0x1000 * READS, "what the guest has set stays");
    EXPECT_EQ(seen.enabled, BIT(IRQ_STI), "likewise");
    EXPECT_EQ(r->v->csr.stvec, 0x1000 * READS, "and is known when the turn is over");
    EXPECT_EQ(r->v->csr.mie & INT_S, BIT(IRQ_STI), "likewise");
}

// What a device pends goes to the hart, and the guest's own sie, which is newer than ours, stays.
TEST(a_line_that_rises_meanwhile_changes_nothing_else)
{
    reads_begin(2, false);
    EXPECT_EQ(seen.pending, BIT(IRQ_SEI), "pends");
    EXPECT_EQ(seen.enabled, BIT(IRQ_STI), "what the guest has enabled last");
    EXPECT_EQ(seen.tvec, 0x1000 * READS, "likewise");
}

TEST(a_turn_that_ends_with_such_an_access_loses_nothing)
{
    reads_begin(READS, true);
    EXPECT_EQ(n_reads, 2, "two reads");
    EXPECT_EQ(r->v->stats.recalled, 1, "the second was remembered");
    EXPECT_EQ(r->v->csr.stvec, 0x2000, "learnt at the end");
    EXPECT_EQ(r->v->csr.mie & INT_S, BIT(IRQ_STI), "likewise");
}

TEST(who_is_traced_is_run_by_classic)
{
    r->v->csr.sscratch = 0x77;
    turn(look);
    assert_ptr_equal(r->v->engine, &engine_direct);
    r->v->trace.on = true;
    turn(NULL);
    assert_ptr_equal(r->v->engine, &engine_classic);
    EXPECT_EQ(r->v->csr.sscratch, 0x77, "what direct held is known to classic");
    r->v->csr.sscratch = 0x78;
    r->v->trace.on     = false;
    turn(look);
    assert_ptr_equal(r->v->engine, &engine_direct);
    EXPECT_EQ(seen.scratch, 0x78, "and the other way round");
}

// The hot path knows classic's guests alone.
TEST(no_trap_takes_the_hot_path)
{
    r->v->own_engine = &engine_classic;
    turn(NULL);
    r->v->own_engine = &engine_direct;
    turn(NULL);
    EXPECT_EQ(fake_hart.traps_all, true, "direct");
    r->v->own_engine = &engine_classic;
    turn(NULL);
    EXPECT_EQ(fake_hart.traps_all, false, "classic");
}

// A leaf has the guest's own U bit, so that the hart keeps a process from its kernel's pages.
// Its kernel opens and closes counters without a trap (4.1.5).
TEST(counters_are_closed_as_the_hart_holds_it)
{
    const u32   rdtime = 0xc01025f3; // a1
    struct trap t      = { EXC_ILLEGAL_INSN, rdtime };

    for (unsigned open = 0; open < 2; open++) {
        turn(NULL);
        fake_hart.time            = 1234;
        r->v->mode                = MODE_U;
        r->v->f.x[11]             = 0;
        r->v->csr.scounteren      = open ? 0 : 7; // of the last turn's end
        fake_hart.super.counteren = open ? 2 : 5;
        EXPECT_EQ(trap_handle(r->v, &t), open ? NEXT : REFLECT, "its kernel is told");
        EXPECT_EQ(!!r->v->f.x[11], open, "the clock");
        EXPECT_EQ(r->v->csr.scounteren, open ? 2 : 5, "it is known from now on");
    }
}

TEST(leaves_have_the_guests_own_u)
{
    gpa_t at;
    u64   root = VM_RAM_BASE + 0x1000;

    for (unsigned user = 0; user < 2; user++) {
        u64 flags = PTE_V | PTE_R | PTE_W | PTE_A | PTE_D | (user ? PTE_U : 0);

        // A gigabyte at 1 GiB times (user + 1), of RAM.
        rig_word_set(r, root + 8 * (user + 1), VM_RAM_BASE >> 12 << 10 | flags);
    }
    r->v->csr.satp = 8ul << 60 | root >> 12;
    pend(r->v, PEND_FOLLOW);
    turn(look);
    for (unsigned user = 0; user < 2; user++) {
        u64 va = (user + 1ul) << 30, entry = field_get(fake_hart.satp, SATP_PPN) << 12;

        r->v->mode = user ? MODE_U : MODE_S;
        EXPECT_EQ(shadow_fill(r->v, gva(va), ACCESS_READ, &at), SHADOW_FILLED, "%lx", va);
        for (int level = 2; level >= 0; level--) {
            entry = ((u64 *)entry)[va >> (12 + 9 * level) & 511];
            if (entry & (PTE_R | PTE_X))
                break;
            entry = field_get(entry, PTE_PPN) << 12;
        }
        EXPECT_EQ(!!(entry & PTE_U), user, "U of the leaf at %lx", va);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(what_was_not_asked_for_is_put_back_all_the_same),
        RUN_ON_RIG(what_it_could_not_switch_it_refuses),
        RUN_ON_RIG(auto_takes_the_fastest_that_does_not_refuse),
        RUN_ON_RIG(the_registers_go_and_come_back),
        RUN_ON_RIG(the_mode_is_where_the_hart_was),
        RUN_ON_RIG(processes_have_64_bits),
        RUN_ON_RIG(without_translation_each_mode_has_a_face),
        RUN_ON_RIG(no_software_interrupt_is_lost_or_comes_back),
        RUN_ON_RIG(a_software_interrupt_outlives_traps),
        RUN_ON_RIG(lines_of_devices_are_the_harts_to_give),
        RUN_ON_RIG(what_the_hart_gave_is_counted),
        RUN_ON_RIG(what_it_claims_is_counted),
        RUN_ON_RIG(a_claim_is_an_interrupt),
        RUN_ON_RIG(its_timer_is_the_harts),
        RUN_ON_RIG(a_timer_that_is_due_is_pending_at_once),
        RUN_ON_RIG(a_hart_without_stimecmp_has_an_emulated_timer),
        RUN_ON_RIG(a_machine_that_does_not_tell_of_it_has_an_emulated_timer),
        RUN_ON_RIG(who_is_traced_has_an_emulated_timer),
        RUN_ON_RIG(what_did_not_change_is_not_written),
        RUN_ON_RIG(an_access_that_is_remembered_reads_no_csr),
        RUN_ON_RIG(a_line_that_rises_meanwhile_changes_nothing_else),
        RUN_ON_RIG(a_turn_that_ends_with_such_an_access_loses_nothing),
        RUN_ON_RIG(who_is_traced_is_run_by_classic),
        RUN_ON_RIG(no_trap_takes_the_hot_path),
        RUN_ON_RIG(counters_are_closed_as_the_hart_holds_it),
        RUN_ON_RIG(leaves_have_the_guests_own_u),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// The scheduler and the run loop over a fake hart whose guests are scripts.
#include "unit.h"

#include "dev/irq.h"
#include "vdev/board.h"
#include "vm/runq.h"

#include <setjmp.h>

static struct rig *a, *b;
static unsigned    turns, limit;
static unsigned    ran[2]; // how often each VM's guest was entered
static void (*script)(struct vcpu *v);

static void all_stop(void)
{
    for (unsigned m = 0; m < n_vms; m++)
        if (vms[m]->state == VM_RUNNING)
            vm_stop(vms[m], VM_END_OFF, "the test is over");
}

// A guest is entered: an interrupt of the machine that pends comes before its first instruction.
static void guest(struct frame *f)
{
    struct vcpu *v = vcpu_of_frame(f);

    f->cause = CAUSE_INTERRUPT | IRQ_MTI;
    if (++turns > limit) {
        all_stop();
        return;
    }
    if (chips.armed <= fake_hart.time)
        fake_hart.irq_pending |= BIT(IRQ_MTI);
    else
        fake_hart.irq_pending &= ~BIT(IRQ_MTI);
    if (hart_irq_pending())
        return;
    ran[v->vm == &a->vm ? 0 : 1]++;
    fake_hart.time += 100;
    script(v);
}

static void sleeps(void)
{
    if (++turns > limit || chips.armed == ~0ul) // nothing would ever come
        all_stop();
    fake_hart.time = chips.armed > fake_hart.time ? chips.armed : fake_hart.time + 100;
    fake_hart.irq_pending |= BIT(IRQ_MTI);
}

static void begin(unsigned n_vcpus)
{
    bench_reset();
    turns = ran[0] = ran[1] = 0;
    limit                   = 20000;
    fake_hart.on_run        = guest;
    fake_hart.on_wait       = sleeps;
    fake_hart.time          = 1000;
    a                       = rig_make(&(struct rig_options){ .n_vcpus = n_vcpus });
    b                       = rig_make(NULL);
}

static void end(void)
{
    rig_free(a);
    rig_free(b);
}

static void ecall(struct vcpu *v, u64 ext, u64 function, u64 a0, u64 a1, u64 a2)
{
    v->f.x[REG_A7]     = ext;
    v->f.x[REG_A6]     = function;
    v->f.x[REG_A0]     = a0;
    v->f.x[REG_A0 + 1] = a1;
    v->f.x[REG_A0 + 2] = a2;
    v->f.cause         = EXC_ECALL_U;
    v->f.tval          = 0;
}

static void illegal(struct vcpu *v, u32 insn)
{
    v->f.cause = EXC_ILLEGAL_INSN;
    v->f.tval  = insn;
}

#define WFI 0x10500073

static void spins(struct vcpu *v)
{
    illegal(v, 0x14001073 | 10 << 15); // csrw sscratch, a0
}

static void both_spin(struct vcpu *v)
{
    spins(v);
}

TEST(two_that_spin_share_the_hart)
{
    begin(1);
    script = both_spin;
    sched_run(false);
    assert_true(ran[0] > limit / 3 && ran[1] > limit / 3);
    end();
}

// B arms its timer, then stops its only hart: nothing of B's may be in A's way.
static void b_stops_itself(struct vcpu *v)
{
    if (v->vm == &a->vm)
        spins(v);
    else if (v->csr.stimecmp == ~0ul)
        ecall(v, SBI_EXT_TIME, 0, fake_hart.time + 1, 0, 0);
    else
        ecall(v, SBI_EXT_HSM, 1, 0, 0, 0);
}

TEST(a_stopped_hart_is_in_nobodys_way)
{
    begin(1);
    script = b_stops_itself;
    sched_run(false);
    assert_true(ran[0] > limit / 2);
    end();
}

// B waits with an interrupt that it has not enabled, its deadline in the past.
static void b_waits_masked(struct vcpu *v)
{
    if (v->vm == &a->vm)
        spins(v);
    else if (v->csr.stimecmp == ~0ul)
        ecall(v, SBI_EXT_TIME, 0, fake_hart.time + 1, 0, 0);
    else
        illegal(v, WFI);
}

TEST(a_masked_wait_is_in_nobodys_way)
{
    begin(1);
    script = b_waits_masked;
    sched_run(false);
    assert_true(ran[0] > limit / 2);
    assert_true(ran[1] < 10);
    end();
}

// B waits for the console; A spins; a byte comes.
static bool typed;

static void b_waits_for_input(struct vcpu *v)
{
    if (v->vm == &b->vm) {
        illegal(v, WFI);
        return;
    }
    spins(v);
    if (b->v->waiting && !typed) {
        vcpu_line_set(b->v, BIT(IRQ_SEI), true); // as the interrupt controller does
        typed = true;
    }
}

TEST(an_interrupt_wakes_its_vcpu_soon)
{
    begin(1);
    typed         = false;
    limit         = 1500; // A's first slice takes 500 turns
    script        = b_waits_for_input;
    b->v->csr.mie = INT_S;
    sched_run(false);
    assert_true(ran[1] >= 2);
    end();
}

// Both wait: time passes until the first deadline.
static void both_wait(struct vcpu *v)
{
    if (v->irq_lines & BIT(IRQ_STI))
        ecall(v, SBI_EXT_TIME, 0, fake_hart.time + (v->vm == &a->vm ? 1000 : 5000), 0, 0);
    else
        illegal(v, WFI);
}

TEST(deadlines_wake)
{
    begin(1);
    script        = both_wait;
    a->v->csr.mie = b->v->csr.mie = BIT(IRQ_STI);
    a->v->csr.stimecmp = b->v->csr.stimecmp = 2000;
    sched_run(false);
    assert_true(ran[0] > 3 * ran[1] && ran[1] > 100);
    end();
}

// A write of it is dear; but a deadline that is sooner is written, and one that has rung goes on
// ringing until it is.
TEST(a_timer_that_rings_before_is_left_alone)
{
    unsigned n;

    begin(1);
    runq_join();
    hart_irq_enable(BIT(IRQ_MTI));
    n = chips.n_armed;
    hart_arm(5000);
    EXPECT_EQ(chips.n_armed, n + 1, "armed");
    hart_arm(6000);
    hart_arm(5000);
    EXPECT_EQ(chips.n_armed, n + 1, "it rings before");
    hart_arm(4000);
    EXPECT_EQ(chips.n_armed, n + 2, "sooner");
    fake_hart.time        = 4000;
    fake_hart.irq_pending = BIT(IRQ_MTI);
    (void)irq_poll();
    hart_arm(6000);
    EXPECT_EQ(chips.n_armed, n + 3, "it has rung");
    EXPECT_EQ(chips.armed, 6000, "later");
    (void)irq_poll();
    hart_arm(~0ul);
    EXPECT_EQ(chips.armed, ~0ul, "never");
    fake_hart.irq_pending = 0;
    end();
}

// What the interrupt controller puts off is looked at in its time, and the guest runs until then.
TEST(an_interrupt_that_was_put_off_comes_in_time)
{
    unsigned n;

    begin(1);
    runq_join();
    hart_irq_enable(BIT(IRQ_MTI) | BIT(IRQ_MEI));
    irq_again_at = 5000;
    hart_arm(~0ul);
    EXPECT_EQ(chips.armed, 5000, "nothing else is waited for");
    n                     = chips.n_irq;
    fake_hart.time        = 4999;
    fake_hart.irq_pending = BIT(IRQ_MTI);
    (void)irq_poll();
    EXPECT_EQ(chips.n_irq, n, "not yet");
    fake_hart.time = 5000;
    (void)irq_poll();
    EXPECT_EQ(chips.n_irq, n + 1, "now");
    irq_again_at          = ~0ul;
    fake_hart.irq_pending = 0;
    end();
}

// The clock of the day looks again every now and then while an alarm is set.  It has no interrupt
// that the guest has enabled, so its vCPU goes on waiting.
static void b_waits(struct vcpu *v)
{
    if (v->vm == &a->vm)
        spins(v);
    else
        illegal(v, WFI);
}

TEST(a_device_that_looks_again_wakes_nobody)
{
    begin(1);
    script = b_waits;
    rig_write(b, VRTC_BASE + 0x0c, 4, (chips.wallclock_ns + 2000) >> 32); // the alarm, 2 us away
    rig_write(b, VRTC_BASE + 0x08, 4, (u32)(chips.wallclock_ns + 2000));
    sched_run(false);
    EXPECT_EQ(ran[1], 1, "it waits once");
    assert_true(b->v->sched.wake_at < fake_hart.time + 1000); // and it is still looked at
    assert_true(ran[0] > limit / 2);
    end();
}

// SBI 2.0, 9.4 and table "HSM Hart Resume Register State".
static void suspends(struct vcpu *v)
{
    if (ran[1] == 1) {
        v->csr.satp = field_set(VM_RAM_BASE >> 12, SATP_MODE, SATP_SV39);
        v->csr.mstatus |= STATUS_SIE;
        ecall(v, SBI_EXT_HSM, 3, 0x80000000, VM_RAM_BASE + 0x800, 0x77);
        return;
    }
    if (ran[1] == 2) {
        EXPECT_EQ(v->f.pc, VM_RAM_BASE + 0x800, "pc");
        EXPECT_EQ(v->f.x[REG_A0], v->id, "a0");
        EXPECT_EQ(v->f.x[REG_A1], 0x77, "a1");
        EXPECT_EQ(v->csr.satp, 0, "satp");
        EXPECT_EQ(v->csr.mstatus & STATUS_SIE, 0, "SIE");
        EXPECT_EQ(v->mode, MODE_S, "mode");
        EXPECT_EQ(v->hsm, HSM_STARTED, "hsm");
    }
    all_stop();
}

TEST(suspend_resumes_as_start)
{
    begin(1);
    a->vm.state        = VM_OFF;
    script             = suspends;
    b->v->csr.mie      = BIT(IRQ_STI);
    b->v->csr.stimecmp = 100000;
    sched_run(false);
    EXPECT_EQ(ran[1], 2, "it came back");
    end();
}

static unsigned ended[2];

static void on_end(struct vm *vm)
{
    vm->state = VM_OFF;
    ended[vm == &a->vm ? 0 : 1]++;
}

static void b_powers_off(struct vcpu *v)
{
    if (v->vm == &a->vm)
        spins(v);
    else
        ecall(v, SBI_EXT_SRST, 0, 0, 0, 0);
    if (ended[1])
        all_stop();
}

TEST(every_ended_vm_is_told)
{
    begin(1);
    a->vm.on_end = b->vm.on_end = on_end;
    ended[0] = ended[1] = 0;
    script              = b_powers_off;
    sched_run(false);
    EXPECT_EQ(ended[1], 1, "B ended while A went on");
    assert_true(turns < limit);
    end();
}

// A's second vCPU is started by its first, which then spins.
static unsigned second;

static void starts_another(struct vcpu *v)
{
    if (v->id)
        second++;
    else if (a->list[1]->hsm == HSM_STOPPED)
        ecall(v, SBI_EXT_HSM, 0, 1, VM_RAM_BASE + 0x1000, 0x55);
    if (v->f.cause != EXC_ECALL_U)
        spins(v);
}

TEST(a_started_vcpu_gets_its_turn)
{
    begin(2);
    b->vm.state = VM_OFF;
    second      = 0;
    limit       = 2000;
    script      = starts_another;
    sched_run(false);
    assert_true(second > 0);
    EXPECT_EQ(a->list[1]->f.x[REG_A1], 0x55, "a1");
    end();
}

// The first asks the second for a fence.i, which is done before the second's next instruction.
static unsigned fences[2]; // done by then; and after

static void asks_for_fence_i(struct vcpu *v)
{
    if (v->id && second == 1) {
        second    = 2;
        fences[1] = fake_hart.n_fence_code;
        all_stop();
    } else if (!v->id && a->list[1]->hsm == HSM_STOPPED) {
        ecall(v, SBI_EXT_HSM, 0, 1, VM_RAM_BASE + 0x1000, 0);
    } else if (!v->id && ran[0] > 1000 && !second) {
        second    = 1;
        fences[0] = fake_hart.n_fence_code;
        ecall(v, SBI_EXT_RFENCE, 0, 2, 0, 0);
    } else {
        spins(v);
    }
}

TEST(a_fence_that_another_asked_for_comes_first)
{
    begin(2);
    b->vm.state = VM_OFF;
    second      = 0;
    script      = asks_for_fence_i;
    sched_run(false);
    EXPECT_EQ(second, 2, "it was asked for, and the other ran again");
    EXPECT_EQ(fences[1] - fences[0], 2, "one as it comes onto the hart, one that was asked for");
    end();
}

// A vCPU that starts when others have run for long does not catch up with them.
static bool started;

static void starts_late(struct vcpu *v)
{
    second += v->id;
    fake_hart.time += 20000;
    if (!v->id && v->vm == &a->vm && turns > 10000 && !started) {
        ecall(v, SBI_EXT_HSM, 0, 1, VM_RAM_BASE + 0x1000, 0);
        started = true;
        ran[1]  = 0;
    } else
        spins(v);
}

TEST(a_late_starter_does_not_starve_others)
{
    begin(2);
    second  = 0;
    started = false;
    limit   = 12000;
    script  = starts_late;
    sched_run(false);
    assert_true(second > 100);
    assert_true(ran[1] > 100);
    end();
}

// Nor does one that slept through another's long turn.
static void a_spins_alone_for_10_s(struct vcpu *v)
{
    if (v->vm == &b->vm && !typed) {
        illegal(v, WFI);
        return;
    }
    if (v->vm == &a->vm && b->v->waiting && !typed) {
        fake_hart.time += 100000000;
        vcpu_line_set(b->v, BIT(IRQ_SEI), true);
        typed  = true;
        ran[0] = ran[1] = 0;
    }
    spins(v);
}

TEST(a_sleeper_is_owed_nothing_for_a_long_turn)
{
    begin(1);
    typed         = false;
    script        = a_spins_alone_for_10_s;
    b->v->csr.mie = INT_S;
    sched_run(false);
    assert_true(typed && ran[0] > limit / 3 && ran[1] > limit / 3);
    end();
}

// A VM that starts again takes its time, in steps, and is owed nothing for it.
static unsigned steps;

static void restart(struct vm *vm)
{
    fake_hart.time += 2000;
    if (turns > limit)
        vm->state = VM_OFF;
    else if (++steps > 100) {
        vm_reset(vm);
        vm->state = VM_RUNNING;
        vcpu_start(vm->vcpus[0], VM_RAM_BASE, 0);
        ran[0] = ran[1] = 0;
    }
}

static void b_resets_once(struct vcpu *v)
{
    if (v->vm == &b->vm && !steps)
        ecall(v, SBI_EXT_SRST, 0, 1, 0, 0);
    else
        spins(v);
}

TEST(a_restarted_vm_does_not_starve_others)
{
    begin(1);
    steps        = 0;
    b->vm.on_end = restart;
    script       = b_resets_once;
    sched_run(false);
    EXPECT_EQ(steps, 101, "it started again");
    assert_true(ran[0] > limit / 8 && ran[1] > limit / 8);
    end();
}

// The state of each VM's floating point, counters and root is on the hart while it runs.
static void looks(struct vcpu *v)
{
    u64 fs = (v->vm == &a->vm ? 1ul : 2ul) << 13;

    if (ran[v->vm == &a->vm ? 0 : 1] > 1)
        EXPECT_EQ(fake_hart.ext_status, fs, "FS");
    fake_hart.ext_status = fs;
    EXPECT_EQ(fake_hart.ram.base, v->vm->ram.a, "the PMP window");
    EXPECT_EQ(fake_hart.satp, v->shadow.real_satp, "satp");
    assert_true(fake_hart.satp);
    spins(v);
}

TEST(each_vm_finds_its_own_state)
{
    begin(1);
    script = looks;
    limit  = 3000;
    sched_run(false);
    assert_true(ran[0] > 500 && ran[1] > 500);
    end();
}

TEST(a_stop_ends_the_loop_at_once)
{
    begin(1);
    b->vm.state = VM_OFF;
    script      = b_powers_off;
    limit       = 100;
    vm_stop(&a->vm, VM_END_OFF, "because");
    sched_run(false);
    EXPECT_EQ(ran[0], 0, "no guest instruction");
    EXPECT_EQ(a->vm.end, VM_END_OFF, "why");
    vm_stop(&a->vm, VM_END_FAIL, "again");
    EXPECT_EQ(a->vm.end, VM_END_OFF, "the first reason stands");
    end();
}

// B sleeps; somebody pauses it, and resumes it before its deadline, or after it.  A spins, or is off.
static u64      resume_at;
static unsigned pauses;

static void pauses_b(void)
{
    sched_alarm.deadline_ticks = fake_hart.time + 300;
    if (vm_state(&b->vm) == VM_RUNNING && b->v->waiting && pauses < 20) {
        vm_pause(&b->vm);
        resume_at = fake_hart.time + (pauses++ % 2 ? 1000 : 30000);
    } else if (vm_state(&b->vm) == VM_PAUSED && fake_hart.time >= resume_at)
        vm_resume(&b->vm);
}

static void b_sleeps_again_and_again(struct vcpu *v)
{
    if (v->vm == &a->vm)
        spins(v);
    else if (v->irq_lines & BIT(IRQ_STI) || v->csr.stimecmp == ~0ul)
        ecall(v, SBI_EXT_TIME, 0, fake_hart.time + 15000, 0, 0);
    else
        illegal(v, WFI);
}

TEST(pause_and_resume_lose_no_wake_up)
{
    for (int alone = 0; alone < 2; alone++) {
        begin(1);
        pauses             = 0;
        limit              = 200000;
        script             = b_sleeps_again_and_again;
        b->v->csr.mie      = BIT(IRQ_STI);
        a->vm.state        = alone ? VM_OFF : VM_RUNNING;
        sched_alarm.ring   = pauses_b;
        pauses_b();
        sched_run(false);
        EXPECT_EQ(pauses, 20, "pauses");
        assert_true(ran[1] > 40 && (alone || ran[0] > 1000));
        sched_alarm.deadline_ticks = ~0ul;
        end();
    }
}

// What waited for a hart while it could not run, or did not want one, was not kept from it.
TEST(a_pause_is_not_stolen)
{
    struct choice c;
    u64           before;

    begin(1);
    runq_join();
    a->vm.state        = VM_OFF;
    b->v->csr.mie      = BIT(IRQ_STI);
    b->v->csr.stimecmp = 50000;
    b->v->waiting      = true;
    sched_wake(a->v);
    sched_wake(b->v);
    EXPECT_EQ(b->v->sched.place, PLACE_SLEEPING, "it sleeps");
    vm_pause(&b->vm);
    fake_hart.time += 1000000;
    vm_resume(&b->vm);
    fake_hart.time += 500;
    before = sched_stolen(b->v);
    runq_choose(&c);
    assert_ptr_equal(c.best, b->v);
    EXPECT_EQ(sched_stolen(b->v) - before, 500, "since it was resumed");
    runq_turn_over(b->v);
    end();
}

// A device that wants to be looked at again at once says so by a time that has long been.
static struct vdev *eager;
static unsigned     n_eager;

static void eager_tick(struct vdev *d)
{
    if (n_eager++ < 3)
        vdev_deadline_set(d, 0);
}

static void b_waits_for_the_eager(struct vcpu *v)
{
    if (v->vm == &b->vm) {
        n_eager = 0;
        vdev_deadline_set(eager, 0);
    }
    b_waits(v);
}

TEST(an_eager_device_makes_nothing_stolen)
{
    static const struct vdev_ops ops = { .name = "eager",
                                         .tick = eager_tick };
    u64                          begun;

    begin(1);
    fake_hart.time = begun = 1000000000;
    eager                  = rig_device(b, &ops, sizeof *eager);
    script = b_waits_for_the_eager;
    sched_run(false);
    EXPECT_EQ(ran[1], 1, "it waits");
    assert_true(n_eager > 0 && b->v->sched.turns > 1);
    assert_true(sched_stolen(b->v) <= fake_hart.time - begun);
    end();
}

// One that has ended and waits for its disk is looked at now and then, and has no hart meanwhile.
static unsigned rests;

static void on_end_rests(struct vm *vm)
{
    rests++;
    vm->rests_until = fake_hart.time + 10000;
    if (turns > limit || rests > 1000)
        vm_state_set(vm, VM_OFF);
}

TEST(an_ended_vm_that_waits_is_in_nobodys_way)
{
    begin(1);
    rests          = 0;
    script         = both_spin;
    b->vm.on_end   = on_end_rests;
    b->vm.state    = VM_STOPPED;
    sched_run(false);
    assert_true(rests >= 20 && rests <= 250);
    assert_true(ran[0] > limit * 9 / 10);
    end();
}

// The last VM ends, and is started again a moment later: a hart that is not the one that decides
// stays with them.
static void on_end_starts(struct vm *vm)
{
    lock_take(&vm->lock);
    vm_reset(vm);
    vm_state_set(vm, VM_RUNNING);
    vcpu_start(vm->vcpus[0], VM_RAM_BASE, 0);
    lock_drop(&vm->lock);
}

static jmp_buf  hart_ends;
static unsigned waits_of_other;

static void starts_b_late(void)
{
    if (++waits_of_other == 3) {
        b->vm.on_end = on_end_starts;
        vm_start(&b->vm);
    }
    if (waits_of_other > 10)
        longjmp(hart_ends, 1);
    fake_hart.irq_pending |= BIT(IRQ_MSI);
}

static void leaves_the_hart(struct vcpu *v)
{
    (void)v;
    longjmp(hart_ends, 2);
}

TEST(a_hart_outlives_the_last_vm)
{
    volatile int how;

    begin(1);
    fake_hart.index = fake_hart.id = 1;
    fake_hart.on_wait              = starts_b_late;
    a->vm.state = b->vm.state = VM_OFF;
    waits_of_other            = 0;
    script                    = leaves_the_hart;
    how                       = setjmp(hart_ends);
    if (!how)
        sched_run(false);
    EXPECT_EQ(how, 2, "it runs the VM that was started");
    memset(&harts[1], 0, sizeof harts[1]);
    runq_lock = (struct lock){ 0 };
    fake_hart.index = fake_hart.id = 0;
    end();
}

// The monitor's instructions pass while it looks at its interrupts.
static u64 looking_takes_time(void)
{
    fake_hart.instret += 7;
    return 0;
}

TEST(what_the_monitor_takes_is_counted)
{
    u64 spent = 0;

    begin(1);
    script              = both_spin;
    limit               = 1000;
    fake_hart.more_irqs = looking_takes_time;
    sched_run(false);
    fake_hart.more_irqs = NULL;
    for (unsigned kind = 0; kind < SPENT_KINDS; kind++)
        spent += a->v->stats.spent[kind] + b->v->stats.spent[kind];
    assert_true(spent > 0 && spent < fake_hart.instret);
    end();
}

// The last words: each other hart that takes part is called, and nobody else.
TEST(all_other_harts_are_called)
{
    begin(1);
    runq_join();
    harts[MAX_HARTS - 1].up = true;
    harts[MAX_HARTS - 1].id = 5;
    memset(chips.poked, 0, sizeof chips.poked);
    harts_stop();
    for (u32 id = 0; id < ARRAY_LEN(chips.poked); id++)
        EXPECT_EQ(chips.poked[id], id == 5, "hart %u", id);
    harts[MAX_HARTS - 1].up = false;
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(two_that_spin_share_the_hart),
        RUN(a_stopped_hart_is_in_nobodys_way),
        RUN(a_masked_wait_is_in_nobodys_way),
        RUN(an_interrupt_wakes_its_vcpu_soon),
        RUN(deadlines_wake),
        RUN(a_timer_that_rings_before_is_left_alone),
        RUN(an_interrupt_that_was_put_off_comes_in_time),
        RUN(a_device_that_looks_again_wakes_nobody),
        RUN(suspend_resumes_as_start),
        RUN(every_ended_vm_is_told),
        RUN(a_started_vcpu_gets_its_turn),
        RUN(a_fence_that_another_asked_for_comes_first),
        RUN(a_late_starter_does_not_starve_others),
        RUN(a_sleeper_is_owed_nothing_for_a_long_turn),
        RUN(a_restarted_vm_does_not_starve_others),
        RUN(each_vm_finds_its_own_state),
        RUN(a_stop_ends_the_loop_at_once),
        RUN(pause_and_resume_lose_no_wake_up),
        RUN(a_pause_is_not_stolen),
        RUN(an_eager_device_makes_nothing_stolen),
        RUN(an_ended_vm_that_waits_is_in_nobodys_way),
        RUN(a_hart_outlives_the_last_vm),
        RUN(what_the_monitor_takes_is_counted),
        RUN(all_other_harts_are_called),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

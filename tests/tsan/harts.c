// SPDX-License-Identifier: MIT
// Several harts, virtual machines with several vCPUs each, and a person who pauses, resumes, stops,
// starts, resets and looks at them, all at random and all at the same time.
//
// In:     how many seconds; a busy computer, where some vCPU has not run by then, takes up to five times as long.
// Out:    "1 passed", or what went wrong.  ThreadSanitizer reports what is not ordered.
// Always: a vCPU is on one hart at a time, and on none while its VM is held or is loaded; whoever
//         wants a hart gets one, and whoever sleeps is woken; time on harts adds up.
// Locks:  the monitor's own; what guests check is atomic.
#include "world.h"

#include "dev/clock.h"
#include "dev/machine.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define N_VMS     4
#define VCPUS     3
#define NOBODY    (-1)
#define LOST      (5000 * MS) // under ThreadSanitizer, on a busy computer
#define LOAD_STEP 5

static struct guest {
    atomic_int  on; // the hart that runs it
    atomic_long turns;
} guests[N_VMS][VCPUS];

static struct rig *rigs[N_VMS];
static atomic_int  loads[N_VMS]; // of on_end()
static atomic_long starts, holds;
static u64         end_at, end_at_last;

static unsigned number_of(const struct vm *vm)
{
    for (unsigned i = 0; i < N_VMS; i++)
        if (&rigs[i]->vm == vm)
            return i;
    world_fail("nobody's VM");
}

static struct guest *guest_of(const struct vcpu *v)
{
    return &guests[number_of(v->vm)][v->id];
}

// --- what a guest does ---------------------------------------------------------------------------

static void ecall(struct vcpu *v, u64 ext, u64 function, u64 a0, u64 a1)
{
    v->f.x[REG_A7]     = ext;
    v->f.x[REG_A6]     = function;
    v->f.x[REG_A0]     = a0;
    v->f.x[REG_A0 + 1] = a1;
    v->f.x[REG_A0 + 2] = 0;
    v->f.cause         = EXC_ECALL_U;
    v->mode            = MODE_S;
}

static void privileged(struct vcpu *v, u32 insn)
{
    v->f.cause = EXC_ILLEGAL_INSN;
    v->f.tval  = insn;
    v->mode    = MODE_S;
}

#define WFI        0x10500073
#define CSRRCI_SIP (0x14417073)            // csrrci x0, sip, 2
#define CSRRS_SIP  (0x14402073 | 10 << 15) // csrrs x0, sip, a0: changes nothing if a0 is 0
#define CSRSI_SIE  (0x10016073)            // csrrsi x0, sstatus, 2

// As trap.S does for a CSR access.
static void hot(struct vcpu *v, u32 insn)
{
    v->f.x[REG_A0] = 0;
    if (trap_hot(&v->f, insn) == HOT_PENDING)
        v->f.cause = TRAP_DONE;
}

static void acts(struct vcpu *v)
{
    u64 others = dice_below(&world_dice, BIT(v->vm->n_vcpus));

    switch (dice_below(&world_dice, 16)) {
    case 0: ecall(v, SBI_EXT_IPI, 0, others, 0); break;
    case 1: ecall(v, SBI_EXT_RFENCE, dice_below(&world_dice, 3), others, 0); break;
    case 2: ecall(v, SBI_EXT_HSM, 0, dice_below(&world_dice, v->vm->n_vcpus), VM_RAM_BASE); break;
    case 3: ecall(v, SBI_EXT_HSM, 2, dice_below(&world_dice, v->vm->n_vcpus), 0); break;
    case 4: v->id ? ecall(v, SBI_EXT_HSM, 1, 0, 0) : privileged(v, WFI); break;
    case 5: ecall(v, SBI_EXT_HSM, 3, 0, 0); break;
    case 6: ecall(v, SBI_EXT_SRST, 0, ONE_IN(50) ? 1 : 9, 0); break;
    case 7:
    case 8:
    case 9: ecall(v, SBI_EXT_TIME, 0, clock_now() + dice_below(&world_dice, 8 * MS), 0); break;
    case 10: hot(v, CSRRCI_SIP); break;
    case 11: hot(v, CSRRS_SIP); break;
    case 12: hot(v, CSRSI_SIE); break;
    default: privileged(v, WFI); break;
    }
}

// A guest runs until it traps, or until its hart is interrupted.
static void guest(struct frame *f)
{
    struct vcpu  *v     = vcpu_of_frame(f);
    struct guest *g     = guest_of(v);
    int           was   = atomic_exchange(&g->on, (int)hart_index());
    u64           until = clock_now() + dice_below(&world_dice, MS / 2);
    u64          *ram   = (u64 *)(v->vm->ram.a + 64 * v->id);

    if (was != NOBODY)
        world_fail("vCPU %u is on hart %d and on hart %u", v->id, was, hart_index());
    if (!(v->vm->harts & BIT(hart_id())))
        world_fail("it may not run on hart %u", hart_id());
    v->csr.mie = INT_S;
    f->cause   = CAUSE_INTERRUPT | IRQ_MTI;
    g->turns++;
    while (!hart_irq_pending() && clock_now() < until)
        ++*ram; // whoever clears its memory while it runs is found by ThreadSanitizer
    if (!hart_irq_pending())
        acts(v);
    atomic_store(&g->on, NOBODY);
}

// --- what the layer above does -------------------------------------------------------------------

static void nobody_runs(const struct vm *vm)
{
    for (u32 i = 0; i < vm->n_vcpus; i++)
        if (guest_of(vm->vcpus[i])->on != NOBODY)
            world_fail("a vCPU runs that must not");
}

static void starts_now(struct vm *vm)
{
    lock_take(&vm->lock);
    if (vm->end == VM_END_RESET) {
        vm_reset(vm);
        vcpu_start(vm->vcpus[0], VM_RAM_BASE, 0);
        vm_state_set(vm, VM_RUNNING);
        atomic_fetch_add(&starts, 1);
    }
    lock_drop(&vm->lock);
}

// A VM that has ended: it is loaded in steps, or goes off.
static void on_end(struct vm *vm)
{
    atomic_int *n = &loads[number_of(vm)];
    bool        again;

    nobody_runs(vm);
    memset((void *)vm->ram.a, 0, 4096);
    lock_take(&vm->lock);
    again = vm->end == VM_END_RESET;
    if (!again) {
        *n = 0;
        vm_state_set(vm, VM_OFF);
    }
    lock_drop(&vm->lock);
    if (!again || ++*n < LOAD_STEP)
        return;
    *n = 0;
    starts_now(vm);
}

static void looks_at(struct vm *vm)
{
    u64 before, until;

    vm_hold(vm);
    atomic_fetch_add(&holds, 1);
    before = vm->vcpus[vm->n_vcpus - 1]->f.pc;
    for (until = clock_now() + MS / 10; clock_now() < until;)
        nobody_runs(vm);
    *(u64 *)vm->ram.a = 0;
    if (vm->vcpus[vm->n_vcpus - 1]->f.pc != before)
        world_fail("a held vCPU moved");
    vm_release(vm);
}

// The first VM is never put off: with all of them off at once the scheduler would be done early.
static void meddles(void)
{
    struct vm *vm = &rigs[dice_below(&world_dice, N_VMS)]->vm;

    switch (dice_below(&world_dice, 12)) {
    case 0: vm_pause(vm); break;
    case 1:
        if (vm != &rigs[0]->vm)
            vm_put_off(vm, ONE_IN(2), "a person wants it");
        break;
    case 2: vm_end(vm, VM_END_RESET, "a person wants it"); break;
    case 3:
    case 4: vm_start(vm); break;
    case 5:
    case 6: vm_resume(vm); break;
    case 7:
        lock_take(&vm->lock); // as a device of the machine does
        vcpu_line_set(vm->vcpus[0], BIT(IRQ_SEI), ONE_IN(2));
        lock_drop(&vm->lock);
        break;
    default: looks_at(vm); break;
    }
}

// Whoever wants a hart gets one before long.
static void expect_found(unsigned m, u32 i, u64 now)
{
    const struct vcpu  *v = rigs[m]->list[i];
    const struct sched *s = &v->sched;

    if (s->place == PLACE_READY && now > s->since + LOST)
        world_fail("vCPU %u.%u is ready and has no hart", m, i);
    if (s->place == PLACE_SLEEPING && s->wake_at < now && now - s->wake_at > LOST)
        world_fail("vCPU %u.%u sleeps for ever", m, i);
    if (s->place == PLACE_SLEEPING && vcpu_interrupts(v))
        world_fail("vCPU %u.%u sleeps while an interrupt pends", m, i);
    if (s->place == PLACE_SLEEPING && s->wake_at > timer_next(v))
        world_fail("vCPU %u.%u sleeps longer than it wanted", m, i);
}

// Sleepers are woken.
static void nobody_is_lost(void)
{
    for (unsigned m = 0; m < N_VMS; m++) {
        lock_take(&rigs[m]->vm.lock);
        lock_take(&runq_lock);
        for (u32 i = 0; i < rigs[m]->vm.n_vcpus; i++)
            expect_found(m, i, clock_now());
        lock_drop(&runq_lock);
        lock_drop(&rigs[m]->vm.lock);
    }
}

// A vCPU but the first begins when another of its VM starts it, by chance.
static bool have_all_run(void)
{
    for (unsigned m = 0; m < N_VMS; m++)
        for (u32 i = 0; i < rigs[m]->vm.n_vcpus; i++)
            if (!guests[m][i].turns)
                return false;
    return true;
}

// In the interrupt of the boot hart.
static void ring(void)
{
    sched_alarm.deadline_ticks = clock_now() + dice_below(&world_dice, 3 * MS);
    alarm(40);
    nobody_is_lost();
    if (clock_now() < end_at || (clock_now() < end_at_last && !have_all_run())) {
        meddles();
        return;
    }
    for (unsigned m = 0; m < N_VMS; m++)
        vm_put_off(&rigs[m]->vm, false, "the test is over");
}

// --- the harts -----------------------------------------------------------------------------------

static void *hart(void *index)
{
    world_hart((u32)(u64)index, guest);
    sched_run(false);
    return NULL;
}

static void vms_make(void)
{
    static const u64 allowed[N_VMS] = { ~0ul, ~0ul, BIT(0) | BIT(2), BIT(0) };

    for (unsigned m = 0; m < N_VMS; m++) {
        rigs[m] = rig_make(&(struct rig_options){ .n_vcpus = m % VCPUS + 1, .pool_pages = 16 });
        rigs[m]->vm.harts  = allowed[m];
        rigs[m]->vm.weight = 100 * (m + 1);
        rigs[m]->vm.cap    = m == 1 ? 60 : 0;
        rigs[m]->vm.on_end = on_end;
        rigs[m]->vm.state  = VM_OFF;
        for (u32 i = 0; i < VCPUS; i++)
            guests[m][i].on = NOBODY;
        vm_start(&rigs[m]->vm);
    }
}

static void sums_check(void)
{
    u64               ran = 0, busy = 0;
    struct hart_share share;

    for (unsigned m = 0; m < N_VMS; m++)
        for (u32 i = 0; i < rigs[m]->vm.n_vcpus; i++) {
            ran += sched_ran(rigs[m]->list[i]);
            if (!guests[m][i].turns)
                world_fail("vCPU %u.%u never ran", m, i);
        }
    for (u32 i = 0; sched_hart(i, &share); i++)
        busy += share.busy;
    if (ran != busy)
        world_fail("guests have had %lu, harts gave %lu", ran, busy);
}

int main(int argc, char **argv)
{
    pthread_t thread;

    fake_hart_reset();
    machine.timebase_hz = 10000000;
    isa_filter("rv64imafdc_sstc", true, &machine.isa);
    world_hart(0, guest);
    vms_make();
    end_at           = (u64)(argc > 1 ? atoi(argv[1]) : 5) * 1000 * MS;
    end_at_last      = clock_now() + 20 * end_at; // for a busy computer
    end_at += clock_now();
    sched_alarm.ring = ring;
    ring();
    for (u64 i = 1; i < WORLD_HARTS; i++)
        pthread_create(&thread, NULL, hart, (void *)i);
    sched_run(false);
    if (clock_now() < end_at)
        world_fail("all was over before its time");
    usleep(100000);
    sums_check();
    printf("  %ld starts, %ld holds\n1 passed, 0 failed\n", (long)starts, (long)holds);
    fflush(stdout);
    _exit(0);
}

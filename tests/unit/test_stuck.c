// SPDX-License-Identifier: MIT
// Guests that cannot go on: loops of traps, the watchdog; backtraces over stacks of any content.
#include "on_rig.h"

#include "dev/machine.h"
#include "vm/backtrace.h"
#include "vm/stuck.h"

#define VECTOR (VM_RAM_BASE + 0x2000)

static void take(u64 cause, u64 tval)
{
    (void)raise(r->v, cause, tval);
    stuck_take_exception(r->v);
}

// As a kernel that has lost its trap vector: the first exception, then one at each fetch.
TEST(a_loop_of_traps)
{
    r->v->csr.stvec   = 0;
    r->v->csr.mstatus = STATUS_SIE;
    take(EXC_ILLEGAL_INSN, 0);
    EXPECT_EQ(r->vm.state, VM_RUNNING, "an exception");
    take(EXC_FETCH_ACCESS, 0); // sepc and scause change
    EXPECT_EQ(r->vm.state, VM_RUNNING, "one in its handler");
    take(EXC_FETCH_ACCESS, 0);
    EXPECT_EQ(r->vm.state, VM_RUNNING, "what was done meanwhile is given back first");
    take(EXC_FETCH_ACCESS, 0);
    EXPECT_EQ(r->vm.state, VM_STOPPED, "and the same again, with nothing changed");
    assert_true(r->vm.end == VM_END_FAIL && r->vm.is_crash && r->vm.why);
}

TEST(what_is_no_loop)
{
    r->v->csr.stvec   = VECTOR;
    r->v->csr.mstatus = 0;
    for (int i = 0; i < 100;
         i++) { // a handler that traps at its first instruction, and differently
        take(EXC_LOAD_PAGE_FAULT, (u64)i);
        r->v->f.pc = VECTOR;
    }
    for (int i = 0; i < 100; i++) { // not at its first instruction
        r->v->f.pc = VECTOR + 4;
        take(EXC_LOAD_PAGE_FAULT, 0);
    }
    for (int i = 0; i < 100; i++) { // from vU
        r->v->mode = MODE_U;
        r->v->f.pc = VECTOR;
        take(EXC_LOAD_PAGE_FAULT, 0);
    }
    EXPECT_EQ(r->vm.state, VM_RUNNING, "it runs");
}

TEST(another_vcpu_could_help)
{
    r->vm.n_vcpus   = 2; // it might map the page
    r->v->csr.stvec = 0;
    for (int i = 0; i < 100; i++)
        take(EXC_FETCH_ACCESS, 0);
    EXPECT_EQ(r->vm.state, VM_RUNNING, "it runs");
    r->vm.n_vcpus = 1;
    take(EXC_FETCH_ACCESS, 0);
    take(EXC_FETCH_ACCESS, 0);
    EXPECT_EQ(r->vm.state, VM_STOPPED, "nobody else");
}

static bool is_busy;

static bool is_done(const struct vdev *d)
{
    (void)d;
    return !is_busy;
}

// A request under way may bring the handler that is missing.
TEST(a_disk_could_help)
{
    static const struct vdev_ops ops = { .name = "busy", .quiet = is_done };

    (void)rig_device(r, &ops, sizeof(struct vdev));
    is_busy         = true;
    r->v->csr.stvec = 0;
    for (int i = 0; i < 100; i++)
        take(EXC_FETCH_ACCESS, 0);
    EXPECT_EQ(r->vm.state, VM_RUNNING, "it may go on");
    is_busy = false;
    take(EXC_FETCH_ACCESS, 0);
    EXPECT_EQ(r->vm.state, VM_RUNNING, "it has only now been found done");
    take(EXC_FETCH_ACCESS, 0);
    EXPECT_EQ(r->vm.state, VM_STOPPED, "nothing comes any more");
}

static void seconds(u64 n)
{
    for (; n; n--) {
        r->v->sched.ran += machine.timebase_hz;
        stuck_watch(&r->vm);
    }
}

TEST(the_watchdog)
{
    r->v->csr.mie   = INT_S;
    r->v->irq_lines = BIT(IRQ_STI);
    seconds(100);
    EXPECT_EQ(r->vm.state, VM_RUNNING, "it was not asked for");
    r->vm.watchdog_ticks = 5 * machine.timebase_hz;
    r->v->stats.injected++;
    stuck_watch(&r->vm);
    for (int i = 0; i < 10; i++) {
        seconds(4);
        r->v->stats.injected++; // it has taken one
        seconds(1);
    }
    for (int i = 0; i < 10; i++) {
        seconds(4);
        r->v->irq_lines = 0; // or what it was for is over
        seconds(1);
        r->v->irq_lines = BIT(IRQ_STI);
    }
    r->v->csr.mie = 0;
    seconds(100);
    r->v->csr.mie = INT_S;
    r->v->waiting = true;
    seconds(100);
    r->v->waiting = false;
    for (int i = 0; i < 100; i++)
        stuck_watch(&r->vm); // it has no hart: time does not count
    EXPECT_EQ(r->vm.state, VM_RUNNING, "all of this is well");
    seconds(6);
    EXPECT_EQ(r->vm.state, VM_STOPPED, "this is not");
    assert_true(r->vm.end == VM_END_FAIL && r->vm.is_crash);
}

TEST(who_called_whom)
{
    u64 fp = VM_RAM_BASE + 0x8000, pcs[8];

    for (u64 i = 0; i < 3; i++) {
        rig_word_set(r, fp + 64 * i - 8, 0x1000 + i);
        rig_word_set(r, fp + 64 * i - 16, i < 2 ? fp + 64 * (i + 1) : 0);
    }
    r->v->f.x[8] = fp;
    EXPECT_EQ(backtrace_take(r->v, pcs, 8), 3, "frames");
    for (u64 i = 0; i < 3; i++)
        EXPECT_EQ(pcs[i], 0x1000 + i, "frame %lu", (unsigned long)i);
    EXPECT_EQ(backtrace_take(r->v, pcs, 2), 2, "no more than there is room for");
    r->v->f.x[8] = fp - 32; // a leaf: it has saved but the caller's frame pointer
    r->v->f.x[1] = 0x999;
    rig_word_set(r, fp - 32 - 8, fp);
    EXPECT_EQ(backtrace_take(r->v, pcs, 8), 4, "frames");
    assert_true(pcs[0] == 0x999 && pcs[1] == 0x1000);
}

TEST(stacks_of_any_content)
{
    u64       base = VM_RAM_BASE + 0x8000, pcs[16], seed = 3;
    const u64 odd[] = { 0,
                        8,
                        15,
                        16,
                        VM_RAM_BASE,
                        VM_RAM_BASE + 8,
                        0x10000010,
                        ~0ul,
                        ~7ul,
                        VM_RAM_BASE + r->vm.ram_size,
                        VM_RAM_BASE + r->vm.ram_size + 8 };

    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        r->v->f.x[8] = odd[i];
        assert_true(backtrace_take(r->v, pcs, 16) <= 1);
    }
    for (u64 i = 0; i < 512; i++) // chains in circles, downwards, out of RAM
        rig_word_set(r, base + 8 * i,
                     dice_below(&seed, 4) ? base + 8 * dice_below(&seed, 512)
                                          : odd[dice_below(&seed, ARRAY_LEN(odd))]);
    for (u64 i = 0; i < 512; i++) {
        r->v->f.x[8] = base + 8 * i;
        assert_true(backtrace_take(r->v, pcs, 16) <= 16);
    }
    r->v->csr.satp = (u64)SATP_SV39 << 60 | base >> PAGE_SHIFT;
    for (u64 i = 0; i < 512; i++) {
        r->v->f.x[8] = dice(&seed) & ~7ul;
        assert_true(backtrace_take(r->v, pcs, 16) <= 16);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(a_loop_of_traps),         RUN_ON_RIG(what_is_no_loop),
        RUN_ON_RIG(another_vcpu_could_help),
        RUN_ON_RIG(a_disk_could_help), RUN_ON_RIG(the_watchdog),
        RUN_ON_RIG(who_called_whom),         RUN_ON_RIG(stacks_of_any_content),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

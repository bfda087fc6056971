// SPDX-License-Identifier: MIT
// The SBI: every call with good and with hostile arguments.
#include "unit.h"

static struct rig *r;

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r = rig_make(&(struct rig_options){ .n_vcpus = 4 });
    shadow_follow(r->v);
    r->v->pending  = 0;
    fake_hart.time = 1000;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

struct answer {
    s64 error;
    u64 value;
};

#define CALL(ext, function, ...) call(ext, function, (u64[6]){ __VA_ARGS__ })

static struct answer call(u64 ext, u64 function, const u64 *a)
{
    struct vcpu *v = r->v;

    for (unsigned i = 1; i < 32; i++)
        v->f.x[i] = 0x1000 + i;
    memcpy(&v->f.x[REG_A0], a, 6 * sizeof *a);
    v->f.x[REG_A6] = function;
    v->f.x[REG_A7] = ext;
    v->mode        = MODE_S;
    EXPECT_EQ(sbi_call(v), NEXT, "outcome of %lx/%lx", ext, function);
    EXPECT_EQ(v->step, 4, "step");
    for (unsigned i = 1; i < 32; i++)
        if (i < REG_A0 || i > 15 + 2)
            EXPECT_EQ(v->f.x[i], 0x1000 + i, "x%u must stay", i);
    for (unsigned i = 2; i < 6; i++)
        EXPECT_EQ(v->f.x[REG_A0 + i], a[i], "a%u must stay", i);
    return (struct answer){ (s64)v->f.x[REG_A0], v->f.x[REG_A1] };
}

static const u64 odd[] = { 0,
                           1,
                           4,
                           63,
                           64,
                           0xffff,
                           0x7fffffff,
                           0x80000000,
                           0xffffffff,
                           0x100000000,
                           0x80fffff8,
                           0x80ffffff,
                           0x81000000,
                           0x7ffffffffffffffful,
                           0x8000000000000000ul,
                           ~0ul - 7,
                           ~0ul };

// Any numbers at all: an error from the list, and nothing breaks.
TEST(hostile_arguments)
{
    static const u64 exts[] = { 0,
                                1,
                                2,
                                3,
                                4,
                                5,
                                6,
                                7,
                                8,
                                9,
                                SBI_EXT_BASE,
                                SBI_EXT_TIME,
                                SBI_EXT_IPI,
                                SBI_EXT_RFENCE,
                                SBI_EXT_HSM,
                                SBI_EXT_SRST,
                                SBI_EXT_DBCN,
                                SBI_EXT_STA,
                                0x0a000000,
                                ~0ul,
                                SBI_EXT_TIME | 1ul << 32 };
    u64              seed   = 5;

    for (int n = 0; n < 100000; n++) {
        u64 a[6], ext = exts[dice_below(&seed, ARRAY_LEN(exts))], function = dice_below(&seed, 10);

        for (int i = 0; i < 6; i++)
            a[i] = odd[dice_below(&seed, ARRAY_LEN(odd))] +
                   (dice_below(&seed, 4) ? 0 : dice(&seed) % 64);
        if (!dice_below(&seed, 8))
            function = a[5];
        if (ext == SBI_EXT_HSM && function == 1)
            continue; // a hart that stops gets no answer

        struct answer got = call(ext, function, a);

        if (ext > 9)
            assert_true(got.error <= 0 && got.error >= SBI_ERR_ALREADY_AVAILABLE);
        r->vm.state   = VM_RUNNING;
        r->v->hsm     = HSM_STARTED;
        r->v->mode    = MODE_S;
        r->n_out      = 0;
        r->v->waiting = false;
        for (u32 i = 0; i < 4; i++)
            r->list[i]->pending = 0;
    }
}

TEST(unknown_is_not_supported)
{
    EXPECT_EQ(CALL(0x0a000000, 0).error, SBI_ERR_NOT_SUPPORTED, "a vendor's extension");
    EXPECT_EQ(CALL(SBI_EXT_BASE, 7).error, SBI_ERR_NOT_SUPPORTED, "BASE 7");
    EXPECT_EQ(CALL(SBI_EXT_TIME, 1).error, SBI_ERR_NOT_SUPPORTED, "TIME 1");
    EXPECT_EQ(CALL(SBI_EXT_RFENCE, 3).error, SBI_ERR_NOT_SUPPORTED, "RFENCE 3, for hypervisors");
    EXPECT_EQ(CALL(SBI_EXT_BASE, ~0ul).error, SBI_ERR_NOT_SUPPORTED, "BASE ~0");
    EXPECT_EQ(CALL(SBI_EXT_BASE, 0xffffffff).error, SBI_ERR_NOT_SUPPORTED, "BASE 2^32 - 1");
    EXPECT_EQ(CALL(SBI_EXT_TIME | 1ul << 32, 0).error, SBI_ERR_NOT_SUPPORTED, "bits above 31");
}

TEST(base)
{
    static const u64 there[]   = { SBI_EXT_BASE, SBI_EXT_TIME, SBI_EXT_IPI, SBI_EXT_RFENCE,
                                   SBI_EXT_HSM,  SBI_EXT_SRST, SBI_EXT_DBCN,   SBI_EXT_STA };
    static const u64 missing[] = { 9,        0x504d55,   0x53555350, 0x4e41434c,
                                   0x43505043, 0x08000000, ~0ul,       SBI_EXT_TIME | 1ul << 32 };

    EXPECT_EQ(CALL(SBI_EXT_BASE, 0).value, SBI_SPEC_2_0, "version");
    EXPECT_EQ(CALL(SBI_EXT_BASE, 1).value, SBI_IMPL_ID, "implementation");
    EXPECT_EQ(CALL(SBI_EXT_BASE, 2).error, 0, "its version");
    for (size_t i = 0; i < ARRAY_LEN(there); i++)
        EXPECT_EQ(CALL(SBI_EXT_BASE, 3, there[i]).value, 1, "probe of %lx", there[i]);
    for (size_t i = 0; i < ARRAY_LEN(missing); i++)
        EXPECT_EQ(CALL(SBI_EXT_BASE, 3, missing[i]).value, 0, "probe of %lx", missing[i]);
    hart_caps.vendor = 11, hart_caps.arch = 22, hart_caps.impl = 33;
    EXPECT_EQ(CALL(SBI_EXT_BASE, 4).value, 11, "mvendorid");
    EXPECT_EQ(CALL(SBI_EXT_BASE, 5).value, 22, "marchid");
    EXPECT_EQ(CALL(SBI_EXT_BASE, 6).value, 33, "mimpid");
}

TEST(timer)
{
    r->v->irq_lines = BIT(IRQ_STI);
    EXPECT_EQ(CALL(SBI_EXT_TIME, 0, 2000).error, 0, "set_timer");
    EXPECT_EQ(r->v->irq_lines, 0, "a set timer clears STIP");
    EXPECT_EQ(r->v->sched.wake_at, 2000, "somebody watches the deadline");
    EXPECT_EQ(CALL(SBI_EXT_TIME, 0, 999).error, 0, "in the past");
    EXPECT_EQ(r->v->irq_lines, BIT(IRQ_STI), "STIP");
    EXPECT_EQ(CALL(0, 0, ~0ul).error, 0, "legacy, never");
    EXPECT_EQ(r->v->irq_lines, 0, "STIP");
}

// 3.1: bit n of mask is hart base + n; base ~0 is all of them.
TEST(hart_masks)
{
    static const struct {
        u64 mask, base;
        int harts; // -1: an error
    } cases[] = {
        { 1, 0, 1 },      { 0xf, 0, 0xf },        { 0x10, 0, -1 },     { 1, 3, 8 },
        { 3, 3, -1 },     { 1, 4, -1 },           { 0, 4, 0 },         { 0, 0, 0 },
        { 0, ~0ul, 0xf }, { ~0ul, ~0ul, 0xf },    { 1, ~0ul - 1, -1 }, { BIT(63), 0, -1 },
        { 5, 1, 0xa },    { BIT(63) | 1, 1, -1 }, { 2, 63, -1 },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int got = 0;

        for (u32 h = 0; h < 4; h++)
            r->list[h]->csr.mip = 0;

        struct answer answer = CALL(SBI_EXT_IPI, 0, cases[i].mask, cases[i].base);

        for (u32 h = 0; h < 4; h++)
            got |= r->list[h]->csr.mip & BIT(IRQ_SSI) ? 1 << h : 0;
        if (cases[i].harts < 0)
            EXPECT_EQ(answer.error, SBI_ERR_INVALID_PARAM, "mask %lx base %lx", cases[i].mask,
                      cases[i].base);
        else
            EXPECT_EQ(answer.error, 0, "mask %lx base %lx", cases[i].mask, cases[i].base);
        EXPECT_EQ(got, cases[i].harts < 0 ? 0 : cases[i].harts, "mask %lx base %lx", cases[i].mask,
                  cases[i].base);
    }
}

// Pages 0 and 1, in Sv39.
static void map_pages(void)
{
    rig_word_set(r, VM_RAM_BASE + 0x1000, (VM_RAM_BASE + 0x2000) >> 2 | PTE_V);
    rig_word_set(r, VM_RAM_BASE + 0x2000, (VM_RAM_BASE + 0x3000) >> 2 | PTE_V);
    for (u64 n = 0; n < 2; n++)
        rig_word_set(r, VM_RAM_BASE + 0x3000 + 8 * n,
                     VM_RAM_BASE >> 2 | PTE_V | PTE_R | PTE_A | PTE_D);
    r->v->csr.satp = field_set((VM_RAM_BASE + 0x1000) >> 12, SATP_MODE, SATP_SV39);
    shadow_follow(r->v);
}

// The hart's leaf for page n; 0: none.
static u64 leaf_now(unsigned n)
{
    u64 table = field_get(fake_hart.satp, SATP_PPN) << 12;

    for (unsigned l = 2; l > 0; l--) {
        u64 entry = *(u64 *)table;

        if (!fake_hart.satp || !(entry & PTE_V))
            return 0;
        table = field_get(entry, PTE_PPN) << 12;
    }
    return ((u64 *)table)[n];
}

TEST(remote_fences)
{
    static const struct {
        u64  start, size;
        bool covers; // the page at 0
    } cases[] = {
        { 0, 0, true },
        { 0, ~0ul, true },
        { 0, PAGE_SIZE, true },
        { 0x1000, ~0ul, true },
        { 0, 1, true },
        { ~0ul, ~0ul, true },
        { 0, 1000 * PAGE_SIZE, true },
        { ~0xffful, 2 * PAGE_SIZE, true },
        { 0x5000, 2 * PAGE_SIZE, false },
        { 0x1000, PAGE_SIZE, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        for (u64 function = 1; function < 3; function++) {
            gpa_t at;

            map_pages();
            EXPECT_EQ(shadow_fill(r->v, gva(0), ACCESS_READ, &at), SHADOW_FILLED, "fill");
            assert_true(leaf_now(0));
            r->list[1]->pending = 0;
            EXPECT_EQ(CALL(SBI_EXT_RFENCE, function, 3, 0, cases[i].start, cases[i].size, 0).error,
                      0, "case %zu", i);
            EXPECT_EQ(r->list[1]->pending & PEND_FLUSH, PEND_FLUSH, "the other hart flushes");
            if (r->v->pending & PEND_FOLLOW)
                shadow_follow(r->v);
            r->v->pending = 0;
            EXPECT_EQ(!leaf_now(0), cases[i].covers, "start %lx size %lx", cases[i].start,
                      cases[i].size);
        }
    EXPECT_EQ(CALL(SBI_EXT_RFENCE, 0, 3, 0).error, 0, "fence.i");
    EXPECT_EQ(fake_hart.n_fence_code, 1, "on this hart alone");
    EXPECT_EQ(r->list[1]->pending & PEND_FENCE_I, PEND_FENCE_I, "the other vCPU's does its own");
}

// One that has stopped has not left its hart yet: its state is still there.
TEST(a_stop_takes_a_moment)
{
    struct vcpu *w = r->list[1];

    w->sched.place = PLACE_RUNNING;
    EXPECT_EQ(CALL(SBI_EXT_HSM, 2, 1).value, HSM_STOP_PENDING, "status");
    r->v->f.x[REG_A7]     = SBI_EXT_HSM;
    r->v->f.x[REG_A6]     = 0;
    r->v->f.x[REG_A0]     = 1;
    r->v->f.x[REG_A0 + 1] = VM_RAM_BASE;
    EXPECT_EQ(sbi_call(r->v), RESUME, "the call is made once more");
    EXPECT_EQ(w->hsm, HSM_STOPPED, "not yet");
    w->sched.place = PLACE_OFF;
    w->irq_lines   = BIT(IRQ_SEI) | BIT(IRQ_STI);
    EXPECT_EQ(sbi_call(r->v), NEXT, "and then done");
    EXPECT_EQ(w->hsm, HSM_STARTED, "started");
    EXPECT_EQ(w->irq_lines, BIT(IRQ_SEI), "a controller holds its line up, whoever starts; timers begin anew");
}

// A range that does not begin at a page's start covers the page that its last byte is in.
TEST(remote_fence_of_an_odd_range)
{
    gpa_t at;

    map_pages();
    EXPECT_EQ(shadow_fill(r->v, gva(0), ACCESS_READ, &at), SHADOW_FILLED, "fill");
    EXPECT_EQ(shadow_fill(r->v, gva(0x1000), ACCESS_READ, &at), SHADOW_FILLED, "fill");
    EXPECT_EQ(CALL(SBI_EXT_RFENCE, 1, 1, 0, 0x800, PAGE_SIZE).error, 0,
              "half of page 0, half of page 1");
    EXPECT_EQ(leaf_now(0), 0, "it begins in page 0");
    EXPECT_EQ(leaf_now(1), 0, "it ends in page 1");
}

TEST(hart_states)
{
    EXPECT_EQ(CALL(SBI_EXT_HSM, 2, 0).value, HSM_STARTED, "status 0");
    EXPECT_EQ(CALL(SBI_EXT_HSM, 2, 1).value, HSM_STOPPED, "status 1");
    EXPECT_EQ(CALL(SBI_EXT_HSM, 2, 4).error, SBI_ERR_INVALID_PARAM, "status 4");
    EXPECT_EQ(CALL(SBI_EXT_HSM, 2, ~0ul).error, SBI_ERR_INVALID_PARAM, "status ~0");
    EXPECT_EQ(CALL(SBI_EXT_HSM, 0, 4, VM_RAM_BASE).error, SBI_ERR_INVALID_PARAM, "start 4");
    EXPECT_EQ(CALL(SBI_EXT_HSM, 0, 1, 0).error, SBI_ERR_INVALID_ADDRESS, "start at 0");
    EXPECT_EQ(CALL(SBI_EXT_HSM, 0, 1, VM_RAM_BASE + r->vm.ram_size - 1).error,
              SBI_ERR_INVALID_ADDRESS, "at the end");
    EXPECT_EQ(CALL(SBI_EXT_HSM, 0, 0, VM_RAM_BASE).error, SBI_ERR_ALREADY_AVAILABLE,
              "start itself");
    EXPECT_EQ(CALL(SBI_EXT_HSM, 0, 1, VM_RAM_BASE + 0x100, 0x33).error, 0, "start 1");

    struct vcpu *w = r->list[1];

    EXPECT_EQ(w->hsm, HSM_STARTED, "started");
    EXPECT_EQ(w->f.pc, VM_RAM_BASE + 0x100, "pc");
    EXPECT_EQ(w->f.x[REG_A0], 1, "a0");
    EXPECT_EQ(w->f.x[REG_A1], 0x33, "a1");
    EXPECT_EQ(w->mode, MODE_S, "mode");
    EXPECT_EQ(w->csr.satp, 0, "satp");
    EXPECT_EQ(w->csr.mstatus & STATUS_SIE, 0, "SIE");
    EXPECT_EQ(CALL(SBI_EXT_HSM, 0, 1, VM_RAM_BASE).error, SBI_ERR_ALREADY_AVAILABLE,
              "start it again");
    r->v->f.x[REG_A7] = SBI_EXT_HSM;
    r->v->f.x[REG_A6] = 1;
    EXPECT_EQ(sbi_call(r->v), NEXT, "stop");
    EXPECT_EQ(r->v->hsm, HSM_STOPPED, "stopped");
    assert_true(r->v->pending & PEND_RESCHED);
}

TEST(hart_start_leaves_the_caller_its_root)
{
    u64 satp = fake_hart.satp;

    EXPECT_EQ(CALL(SBI_EXT_HSM, 0, 1, VM_RAM_BASE).error, 0, "start 1");
    if (r->v->pending & PEND_FOLLOW)
        shadow_follow(r->v);
    EXPECT_EQ(fake_hart.satp, satp, "the hart's satp");
}

// 9.4, table "HSM Hart Suspend Types"
TEST(suspend_types)
{
    static const struct {
        u64 type;
        s64 error;
    } cases[] = {
        { 1, SBI_ERR_INVALID_PARAM },
        { 0x0fffffff, SBI_ERR_INVALID_PARAM },
        { 0x10000000, SBI_ERR_NOT_SUPPORTED },
        { 0x7fffffff, SBI_ERR_NOT_SUPPORTED },
        { 0x80000001, SBI_ERR_INVALID_PARAM },
        { 0x8fffffff, SBI_ERR_INVALID_PARAM },
        { 0x90000000, SBI_ERR_NOT_SUPPORTED },
        { 0xffffffff, SBI_ERR_NOT_SUPPORTED },
        { 0x100000000, SBI_ERR_INVALID_PARAM },
        { ~0ul, SBI_ERR_INVALID_PARAM },
        { 0, 0 },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        EXPECT_EQ(CALL(SBI_EXT_HSM, 3, cases[i].type, VM_RAM_BASE).error, cases[i].error,
                  "type %lx", cases[i].type);
    assert_true(r->v->waiting);
    EXPECT_EQ(CALL(SBI_EXT_HSM, 3, 0x80000000, 0x1000).error, SBI_ERR_INVALID_ADDRESS,
              "resume at no RAM");
    (void)CALL(SBI_EXT_HSM, 3, 0x80000000, VM_RAM_BASE + 8, 9);
    EXPECT_EQ(r->v->hsm, HSM_SUSPENDED, "suspended");
    EXPECT_EQ(r->v->resume_pc, VM_RAM_BASE + 8, "resume");
}

TEST(resets)
{
    static const struct {
        u64         type, reason;
        enum vm_end end;
    } good[] = {
        { 0, 0, VM_END_OFF }, { 0, 1, VM_END_FAIL }, { 1, 0, VM_END_RESET }, { 2, 0, VM_END_RESET }
    };

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        r->vm.state = VM_RUNNING;
        (void)CALL(SBI_EXT_SRST, 0, good[i].type, good[i].reason);
        EXPECT_EQ(r->vm.state, VM_STOPPED, "case %zu", i);
        EXPECT_EQ(r->vm.end, good[i].end, "case %zu", i);
        assert_true(r->list[3]->pending & PEND_STOP);
    }
    r->vm.state = VM_RUNNING;
    EXPECT_EQ(CALL(SBI_EXT_SRST, 0, 3, 0).error, SBI_ERR_INVALID_PARAM, "type 3");
    EXPECT_EQ(CALL(SBI_EXT_SRST, 0, 0, 2).error, SBI_ERR_INVALID_PARAM, "reason 2");
    EXPECT_EQ(r->vm.state, VM_RUNNING, "still runs");
    (void)CALL(8, 0);
    EXPECT_EQ(r->vm.end, VM_END_OFF, "legacy shutdown");
}

TEST(console_write)
{
    u64 end = VM_RAM_BASE + r->vm.ram_size;

    assert_true(gmem_write(&r->vm, gpa(end - 5), "hello", 5));
    EXPECT_EQ(CALL(SBI_EXT_DBCN, 0, 5, end - 5, 0).value, 5, "written");
    assert_memory_equal(r->out, "hello", 5);
    EXPECT_EQ(CALL(SBI_EXT_DBCN, 0, 6, end - 5, 0).error, SBI_ERR_INVALID_PARAM,
              "one byte beyond RAM");
    EXPECT_EQ(CALL(SBI_EXT_DBCN, 0, 1, end, 0).error, SBI_ERR_INVALID_PARAM, "behind RAM");
    EXPECT_EQ(CALL(SBI_EXT_DBCN, 0, ~0ul, VM_RAM_BASE + 1, 0).error, SBI_ERR_INVALID_PARAM,
              "a length that wraps");
    EXPECT_EQ(CALL(SBI_EXT_DBCN, 0, 5, VM_RAM_BASE, 1).error, SBI_ERR_INVALID_PARAM,
              "the upper half of an address");
    EXPECT_EQ(CALL(SBI_EXT_DBCN, 0, 5, VM_RAM_BASE - 1, 0).error, SBI_ERR_INVALID_PARAM,
              "before RAM");
    EXPECT_EQ(CALL(SBI_EXT_DBCN, 0, 0, VM_RAM_BASE, 0).error, 0, "nothing");

    struct answer some = CALL(SBI_EXT_DBCN, 0, 10000, VM_RAM_BASE, 0);

    assert_true(some.error == 0 && some.value > 0 && some.value <= 10000);
    r->full = true;
    EXPECT_EQ(CALL(SBI_EXT_DBCN, 0, 5, VM_RAM_BASE, 0).value, 0, "no room, nothing taken");
    EXPECT_EQ(r->n_overrun, 0, "nothing was written over the room");
}

TEST(console_read)
{
    u64  end    = VM_RAM_BASE + r->vm.ram_size;
    char got[8] = "";

    EXPECT_EQ(CALL(SBI_EXT_DBCN, 1, 5, VM_RAM_BASE, 0).value, 0, "nothing was typed");
    memcpy(r->in, "abcdefgh", r->n_in = 8);
    EXPECT_EQ(CALL(SBI_EXT_DBCN, 1, 3, end - 3, 0).value, 3, "read");
    assert_true(gmem_read(&r->vm, gpa(end - 3), got, 3));
    assert_memory_equal(got, "abc", 3);
    EXPECT_EQ(CALL(SBI_EXT_DBCN, 1, 4, end - 3, 0).error, SBI_ERR_INVALID_PARAM, "beyond RAM");
    EXPECT_EQ(CALL(SBI_EXT_DBCN, 1, 100, VM_RAM_BASE, 0).value, 5,
              "the rest: a refused call took none");
    r->in_at = 0;
    EXPECT_EQ(CALL(2, 0).error, 'a', "legacy");
    r->in_at = r->n_in;
    EXPECT_EQ(CALL(2, 0).error, -1, "legacy, nothing there");
}

// A byte at a time blocks: the guest makes the call again until there is room.
TEST(console_byte)
{
    EXPECT_EQ(CALL(SBI_EXT_DBCN, 2, 'x').error, 0, "a byte");
    EXPECT_EQ(CALL(1, 0, 'y').error, 0, "legacy");
    assert_memory_equal(r->out, "xy", 2);
    r->full           = true;
    r->v->f.x[REG_A7] = 1;
    r->v->f.x[REG_A0] = 'z';
    r->v->pending     = 0;
    EXPECT_EQ(sbi_call(r->v), RESUME, "the same call again");
    EXPECT_EQ(r->v->f.x[REG_A0], 'z', "a0 is as it was");
    assert_true(r->v->pending & PEND_RESCHED);
    EXPECT_EQ(r->n_overrun, 0, "nothing was written over the room");
}

TEST(legacy_masks_are_in_memory)
{
    map_pages();
    rig_word_set(r, VM_RAM_BASE + 0x18, 6);
    (void)CALL(4, 0, 0x18);
    EXPECT_EQ(r->list[1]->csr.mip & r->list[2]->csr.mip & BIT(IRQ_SSI), BIT(IRQ_SSI),
              "harts 1 and 2");
    EXPECT_EQ((r->v->csr.mip | r->list[3]->csr.mip) & BIT(IRQ_SSI), 0, "not 0 and 3");
    (void)CALL(4, 0, 0x5000);
    EXPECT_EQ(r->list[3]->csr.mip, 0, "a pointer to nowhere does nothing");
    (void)CALL(4, 0, 0);
    EXPECT_EQ(r->list[3]->csr.mip, BIT(IRQ_SSI), "a null pointer is all");
    (void)CALL(3, 0);
    EXPECT_EQ(r->v->csr.mip, 0, "clear_ipi");
    (void)CALL(4, 0, 0xffc); // reaches over into a page that is not mapped
    EXPECT_EQ(r->v->csr.mip, 0, "nothing");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(hostile_arguments),
        RUN_ON_RIG(unknown_is_not_supported),
        RUN_ON_RIG(base),
        RUN_ON_RIG(timer),
        RUN_ON_RIG(hart_masks),
        RUN_ON_RIG(remote_fences),
        RUN_ON_RIG(remote_fence_of_an_odd_range),
        RUN_ON_RIG(a_stop_takes_a_moment),
        RUN_ON_RIG(hart_states),
        RUN_ON_RIG(hart_start_leaves_the_caller_its_root),
        RUN_ON_RIG(suspend_types),
        RUN_ON_RIG(resets),
        RUN_ON_RIG(console_write),
        RUN_ON_RIG(console_read),
        RUN_ON_RIG(console_byte),
        RUN_ON_RIG(legacy_masks_are_in_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// Records of traps: what is recorded of each, the ring, the follower of a system call; and that
// nothing of it is there while tracing is off.
#include "unit.h"

#include "isa/insn_text.h"
#include "vdev/board.h"
#include "vm/sched.h"

static struct rig *r;

// What the guest traps with, one after the other; then the VM stops.
static struct {
    u64 pc, cause, tval;
} script[1024];
static size_t n_script, at_script;

static void guest(struct frame *f)
{
    if (at_script == n_script) {
        vm_stop(&r->vm, VM_END_OFF, "the script is over");
        f->cause = CAUSE_INTERRUPT | IRQ_MTI;
        return;
    }
    f->pc    = script[at_script].pc;
    f->cause = script[at_script].cause;
    f->tval  = script[at_script++].tval;
}

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r                = rig_make(NULL);
    fake_hart.on_run = guest;
    n_script = at_script = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

static void traps(u64 pc, u64 cause, u64 tval)
{
    script[n_script].pc     = pc;
    script[n_script].cause  = cause;
    script[n_script++].tval = tval;
}

static void play(void)
{
    r->vm.state = VM_RUNNING;
    r->v->pending &= ~(u32)PEND_STOP;
    sched_run(false);
    n_script = at_script = 0;
}

#define CSRW_SSCRATCH 0x14051073u // csrw sscratch, a0
#define CSRR_SEPC     0x141022f3u // csrr t0, sepc
#define SRET          0x10200073u
#define WFI           0x10500073u
#define SFENCE        0x12000073u
#define SB            0x00628023u // sb t1, 0(t0)
#define AT            (VM_RAM_BASE + 0x1000)
#define VECTOR        (VM_RAM_BASE + 0x2000)

static void call_script(bool device)
{
    assert_true(gmem_write(&r->vm, gpa(VECTOR + 4), &(u32){ SB }, 4));
    r->v->mode        = MODE_U;
    r->v->csr.stvec   = VECTOR;
    r->v->f.x[REG_A7] = 64;
    r->v->f.x[REG_A0] = 1;
    r->v->f.x[5]      = VUART_BASE + 7;
    r->v->f.x[6]      = 0x5a;
    traps(AT, EXC_ECALL_U, 0);
    traps(VECTOR, EXC_ILLEGAL_INSN, CSRW_SSCRATCH);
    if (device)
        traps(VECTOR + 4, EXC_STORE_PAGE_FAULT, VUART_BASE + 7);
    traps(VECTOR + 8, EXC_ILLEGAL_INSN, SRET);
}

static const struct record *record(u64 n, enum trace_kind kind)
{
    const struct record *found = trace_record(r->v, n);

    assert_non_null(found);
    assert_string_equal(trace_rows[found->kind].name, trace_rows[kind].name);
    return found;
}

TEST(a_system_call)
{
    trace_set(r->v, TRACE_ALL);
    call_script(true);
    play();
    assert_true(fake_hart.traps_all);
    const struct record *call = record(0, TRACE_ECALL), *csr = record(1, TRACE_CSR),
                        *mmio = record(2, TRACE_MMIO), *sret = record(3, TRACE_SRET);

    assert_true(call->mode == MODE_U && call->to_mode == MODE_S);
    EXPECT_EQ(call->pc, AT, "ecall");
    EXPECT_EQ(call->to, VECTOR, "stvec");
    EXPECT_EQ(call->value[0], 64, "a7");
    EXPECT_EQ(call->value[1], 1, "a0");
    EXPECT_EQ(csr->insn, CSRW_SSCRATCH, "the instruction");
    EXPECT_EQ(csr->value[1], 1, "a0 went there");
    EXPECT_EQ(csr->to, VECTOR + 4, "behind it");
    EXPECT_EQ(mmio->value[0], 7, "offset");
    EXPECT_EQ(mmio->value[1], 0x5a, "value");
    EXPECT_EQ(mmio->insn, SB, "the instruction");
    assert_string_equal(r->vm.bus.devices[mmio->device - 1]->ops->name, "uart");
    assert_true(sret->mode == MODE_S && sret->to_mode == MODE_U);
    EXPECT_EQ(sret->to, AT, "sepc");
    record(4, TRACE_MACHINE);
    assert_null(trace_record(r->v, 5));
}

TEST(other_kinds)
{
    trace_set(r->v, TRACE_ALL & ~BIT(TRACE_MACHINE));
    r->v->csr.mie     = INT_S;
    r->v->irq_lines   = BIT(IRQ_SSI);
    r->v->csr.mstatus = 0;
    traps(AT, EXC_ILLEGAL_INSN, WFI);
    traps(AT + 4, EXC_ILLEGAL_INSN, SFENCE);
    traps(AT + 8, EXC_ECALL_U, 0); // vS: SBI
    traps(AT + 12, EXC_LOAD_PAGE_FAULT, AT);
    traps(AT + 16, EXC_BREAKPOINT, AT + 16);
    traps(AT + 20, EXC_ILLEGAL_INSN, 0x10016073); // csrsi sstatus, 2: SIE
    play();
    record(0, TRACE_WFI);
    record(1, TRACE_FENCE);
    record(2, TRACE_SBI);
    record(3, TRACE_PAGE);
    EXPECT_EQ(record(4, TRACE_EXCEPTION)->value[0], EXC_BREAKPOINT, "scause");
    record(5, TRACE_CSR);
    EXPECT_EQ(record(6, TRACE_INTERRUPT)->cause, IRQ_SSI, "the interrupt");
}

// A process may execute no privileged instruction, and touch no page of its kernel's.
TEST(violations)
{
    u64 root = VM_RAM_BASE + 0x4000, pointer = PTE_V,
        kernels = PTE_V | PTE_R | PTE_W | PTE_A | PTE_D;

    rig_word_set(r, root, 0);
    rig_word_set(r, root + 8 * level_index(gva(VUART_BASE), 2),
                 (VM_RAM_BASE + 0x5000) >> 2 | pointer);
    rig_word_set(r, VM_RAM_BASE + 0x5000 + 8 * level_index(gva(VUART_BASE), 1),
                 (VUART_BASE & ~0x1ffffful) >> 2 | kernels);
    r->v->csr.satp = (u64)SATP_SV39 << 60 | root >> PAGE_SHIFT;
    trace_set(r->v, BIT(TRACE_VIOLATION) | BIT(TRACE_EXCEPTION));
    for (int i = 0; i < 5; i++) {
        static const u64 tvals[] = { SRET, 0xffffffff, VUART_BASE, 0x40000000, VUART_BASE };

        r->v->mode = MODE_U;
        traps(AT,
              i < 2   ? EXC_ILLEGAL_INSN
              : i < 4 ? EXC_LOAD_PAGE_FAULT
                      : EXC_BREAKPOINT,
              tvals[i]);
        play();
    }
    EXPECT_EQ(record(0, TRACE_VIOLATION)->value[0], EXC_ILLEGAL_INSN, "scause");
    assert_true(record(0, TRACE_VIOLATION)->to_mode == MODE_S);
    record(1, TRACE_EXCEPTION); // no instruction at all
    const struct record *touch = record(2, TRACE_VIOLATION);

    EXPECT_EQ(touch->value[3], VUART_BASE, "where it leads");
    assert_string_equal(r->vm.bus.devices[touch->device - 1]->ops->name, "uart");
    record(3, TRACE_EXCEPTION); // nothing is mapped there: its kernel may map it
    record(4, TRACE_EXCEPTION); // no access at all, whatever the address
}

TEST(the_ring_keeps_the_newest)
{
    trace_set(r->v, BIT(TRACE_CSR));
    for (u64 i = 0; i < TRACE_RING + 100; i++)
        traps(AT + 4 * i, EXC_ILLEGAL_INSN, CSRR_SEPC);
    play();
    EXPECT_EQ(trace_record(r->v, 0)->pc, AT + 400, "the oldest");
    EXPECT_EQ(trace_record(r->v, TRACE_RING - 1)->pc, AT + 4 * (TRACE_RING + 99), "the newest");
    assert_null(trace_record(r->v, TRACE_RING));
}

TEST(off_is_off)
{
    call_script(true);
    play();
    assert_false(fake_hart.traps_all);
    assert_null(r->vm.record);
    EXPECT_EQ(r->v->trace.n, 0, "no records");
    EXPECT_EQ(trace_exit(r->v, 0)->cause, EXC_ECALL_U, "but the last exits");
    EXPECT_EQ(trace_exit(r->v, 3)->pc, VECTOR + 8, "of all kinds");
    trace_set(r->v, BIT(TRACE_SRET));
    call_script(true);
    play();
    assert_true(fake_hart.traps_all);
    EXPECT_EQ(r->v->trace.n, 1, "only what was asked for");
    trace_set(r->v, 0);
    call_script(true);
    play();
    assert_false(fake_hart.traps_all);
}

TEST(a_call_is_followed)
{
    const struct follower *f = &r->v->trace.follower;

    trace_follow(r->v, FOLLOW_CALL);
    call_script(false); // reaches no device
    play();
    EXPECT_EQ(f->state, FOLLOW_ARMED, "it goes on waiting");
    for (int i = 0; i < 60; i++) // page faults before: of no call
        traps(AT, EXC_LOAD_PAGE_FAULT, AT);
    call_script(true);
    play();
    EXPECT_EQ(f->state, FOLLOW_DONE, "the five steps");
    EXPECT_EQ(f->n, 4, "from ecall to sret");
    assert_true(f->records[0].kind == TRACE_ECALL && f->records[3].kind == TRACE_SRET);
    call_script(true);
    play();
    assert_false(fake_hart.traps_all || r->v->trace.on);
    EXPECT_EQ(r->v->trace.n, 0, "the ring is another matter");
}

TEST(a_long_call_is_cut_in_the_middle)
{
    const struct follower *f = &r->v->trace.follower;

    trace_follow(r->v, FOLLOW_VIOLATION);
    r->v->mode      = MODE_U;
    r->v->csr.stvec = VECTOR;
    traps(AT, EXC_ILLEGAL_INSN, WFI);
    for (int i = 0; i < 100; i++)
        traps(VECTOR, EXC_ILLEGAL_INSN, CSRR_SEPC);
    traps(VECTOR, EXC_ILLEGAL_INSN, SRET);
    play();
    EXPECT_EQ(f->state, FOLLOW_DONE, "a violation");
    EXPECT_EQ(f->n, FOLLOW_MAX, "as much as there is room for");
    EXPECT_EQ(f->omitted, 102 - FOLLOW_MAX, "and the rest is counted");
    assert_true(f->records[0].kind == TRACE_VIOLATION &&
                f->records[FOLLOW_MAX - 1].kind == TRACE_SRET);
}

static const char *no_name(unsigned number)
{
    return number == 0x141 ? "sepc" : NULL;
}

TEST(instructions_in_words)
{
    static const struct {
        u32         raw;
        const char *text;
    } rows[] = {
        { CSRR_SEPC, "csrrs t0, sepc, zero" },
        { 0x10016073, "csrrsi zero, 0x100, 2" },
        { SRET, "sret" },
        { SFENCE, "sfence.vma zero, zero" },
        { SB, "sb t1, 0(t0)" },
        { 0x0057c783, "lbu a5, 5(a5)" },
        { 0xc398, "sw a4, 0(a5)" },
        { 0x638c, "ld a1, 0(a5)" },
        { 0xffffffff, "0xffffffff" },
        { 0, "0x0000" },
        { 0x00000073, "ecall" },
        { 0xfe87b783, "ld a5, -24(a5)" },
    };
    char text[INSN_TEXT_SIZE];
    u64  seed = 5;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_string_equal(insn_text(rows[i].raw, no_name, text), rows[i].text);
    for (int i = 0; i < 100000; i++)
        assert_true(strlen(insn_text((u32)dice(&seed), no_name, text)) < INSN_TEXT_SIZE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(a_system_call),
        RUN_ON_RIG(other_kinds),
        RUN_ON_RIG(violations),
        RUN_ON_RIG(the_ring_keeps_the_newest),
        RUN_ON_RIG(off_is_off),
        RUN_ON_RIG(a_call_is_followed),
        RUN_ON_RIG(a_long_call_is_cut_in_the_middle),
        RUN_ON_RIG(instructions_in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

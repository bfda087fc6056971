// SPDX-License-Identifier: MIT
// The virtual interrupt controller (PLIC 1.0.0): claims, thresholds, priorities; and a random run
// against a model of its own.
#include "unit.h"

#include "vdev/board.h"

#define P            VPLIC_BASE
#define PRIORITY(n)  (P + 4ul * (n))
#define PENDING(w)   (P + 0x1000 + 4ul * (w))
#define ENABLE(c, w) (P + 0x2000 + 0x80ul * (c) + 4ul * (w))
#define THRESHOLD(c) (P + 0x200000 + 0x1000ul * (c))
#define CLAIM(c)     (P + 0x200004 + 0x1000ul * (c))
#define S            1 // hart 0's context for S-mode

static struct rig *r;

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r = rig_make(&(struct rig_options){ .n_vcpus = 2 });
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

static void line(u32 source, bool up)
{
    r->vm.irq_set(&r->vm, source, up);
}

static u32 get(u64 at)
{
    return (u32)rig_read(r, at, 4);
}

static void put(u64 at, u32 value)
{
    rig_write(r, at, 4, value);
}

static bool sei(u32 hart)
{
    return r->list[hart]->irq_lines & BIT(IRQ_SEI);
}

TEST(an_interrupt_from_rise_to_completion)
{
    put(PRIORITY(10), 1);
    put(ENABLE(S, 0), BIT(10));
    assert_false(sei(0));
    line(10, true);
    assert_true(sei(0));
    assert_false(sei(1));
    EXPECT_EQ(get(PENDING(0)), BIT(10), "pending");
    EXPECT_EQ(get(CLAIM(S)), 10, "claim");
    assert_false(sei(0));
    EXPECT_EQ(get(PENDING(0)), 0, "no longer pending");
    EXPECT_EQ(get(CLAIM(S)), 0, "one claim per interrupt");
    put(CLAIM(S), 10);
    assert_true(sei(0)); // the line is still up
    EXPECT_EQ(get(CLAIM(S)), 10, "again");
    line(10, false);
    put(CLAIM(S), 10);
    assert_false(sei(0));
}

TEST(priority_then_number)
{
    for (u32 n = 1; n < 96; n++) {
        put(PRIORITY(n), n == 40 || n == 50 ? 7 : 3);
        line(n, true);
    }
    for (u32 w = 0; w < 3; w++)
        put(ENABLE(S, w), ~0u);
    EXPECT_EQ(get(CLAIM(S)), 40, "the highest priority, lowest number");
    EXPECT_EQ(get(CLAIM(S)), 50, "then its equal");
    for (u32 n = 1; n < 96; n++)
        if (n != 40 && n != 50)
            EXPECT_EQ(get(CLAIM(S)), n, "then by number");
    EXPECT_EQ(get(CLAIM(S)), 0, "none is left");
}

TEST(threshold)
{
    put(PRIORITY(5), 4);
    put(ENABLE(S, 0), BIT(5));
    line(5, true);
    for (u32 t = 0; t < 8; t++) {
        put(THRESHOLD(S), t);
        EXPECT_EQ(get(THRESHOLD(S)), t, "threshold");
        EXPECT_EQ(sei(0), t < 4, "threshold %u", t);
    }
    put(THRESHOLD(S), 0xfffffff8);
    EXPECT_EQ(get(THRESHOLD(S)), 0, "three bits");
}

TEST(priority_0_never_interrupts)
{
    put(PRIORITY(5), 0);
    put(ENABLE(S, 0), BIT(5));
    line(5, true);
    assert_false(sei(0));
    EXPECT_EQ(get(CLAIM(S)), 0, "nor is it claimed");
}

TEST(source_0_is_nothing)
{
    put(PRIORITY(0), 7);
    EXPECT_EQ(get(PRIORITY(0)), 0, "priority");
    put(ENABLE(S, 0), ~0u);
    EXPECT_EQ(get(ENABLE(S, 0)), ~1u, "enable");
    line(0, true);
    assert_false(sei(0));
    put(CLAIM(S), 0);
    EXPECT_EQ(get(CLAIM(S)), 0, "claim");
}

TEST(completion_of_what_is_not_claimed)
{
    static const u32 ids[] = { 0, 9, 10, 31, 32, 95, 96, 127, 1023, 1024, 0x80000000, ~0u };

    put(PRIORITY(10), 1);
    put(ENABLE(S, 0), BIT(10));
    line(10, true);
    EXPECT_EQ(get(CLAIM(S)), 10, "claim");
    put(CLAIM(3), 10); // of hart 1, which has not enabled it
    assert_false(sei(0));
    for (size_t i = 0; i < ARRAY_LEN(ids); i++)
        if (ids[i] != 10)
            put(CLAIM(S), ids[i]);
    assert_false(sei(0));
    put(CLAIM(S), 10);
    put(CLAIM(S), 10);
    assert_true(sei(0));
}

TEST(lines_that_do_not_exist)
{
    line(96, true), line(1000, true), line(~0u, true);
    EXPECT_EQ(get(PENDING(2)), 0, "nothing");
}

TEST(contexts_of_the_board)
{
    put(PRIORITY(3), 1);
    for (u32 c = 0; c < 8; c++)
        put(ENABLE(c, 0), BIT(3));
    EXPECT_EQ(get(ENABLE(4, 0)), 0, "two harts have four contexts");
    line(3, true);
    assert_true(r->list[0]->irq_lines & BIT(IRQ_MEI) && sei(0));
    assert_true(r->list[1]->irq_lines & BIT(IRQ_MEI) && sei(1));
    EXPECT_EQ(get(CLAIM(2)), 3, "one of them claims it");
    EXPECT_EQ(get(CLAIM(1)), 0, "the others do not");
    EXPECT_EQ(r->list[0]->irq_lines | r->list[1]->irq_lines, 0, "all lines fall");
}

TEST(reset_forgets)
{
    put(PRIORITY(3), 1);
    put(ENABLE(S, 0), BIT(3));
    line(3, true);
    vm_reset(&r->vm);
    EXPECT_EQ(get(PRIORITY(3)) | get(ENABLE(S, 0)) | get(PENDING(0)), 0, "reset");
    assert_false(sei(0));
}

// Every offset of the region, read and written: nothing breaks.
TEST(all_offsets)
{
    u64 seed = 1, value;

    for (u64 off = 0; off < 0x600000;
         off += off < 0x4000 || (off >= 0x200000 && off < 0x220000) ? 4 : 0x400) {
        value = dice(&seed);
        assert_true(rig_access(r, P + off, 4, true, &value));
        assert_true(rig_access(r, P + off, 4, false, &value));
        EXPECT_EQ(value >> 32, 0, "offset %lx", off);
    }
    assert_false(rig_access(r, P + 0x600000, 4, false, &value));
    assert_false(rig_access(r, P, 1, false, &value));
    assert_false(rig_access(r, P, 8, false, &value));
}

// The gateways and the core in their simplest form.
struct model {
    bool level[96], pending[96], claimed[96], enabled[4][96];
    u32  priority[96], threshold[4];
};

static u32 model_best(const struct model *m, u32 c)
{
    u32 best = 0;

    for (u32 n = 1; n < 96; n++)
        if (m->pending[n] && !m->claimed[n] && m->enabled[c][n] &&
            m->priority[n] > (best ? m->priority[best] : 0))
            best = n;
    return best;
}

static void model_compare(const struct model *m)
{
    for (u32 c = 0; c < 4; c++) {
        u32  best = model_best(m, c);
        bool up   = best && m->priority[best] > m->threshold[c];
        u64  bit  = c % 2 ? BIT(IRQ_SEI) : BIT(IRQ_MEI);

        EXPECT_EQ(!!(r->list[c / 2]->irq_lines & bit), up, "context %u", c);
    }
}

TEST(random_run)
{
    struct model m    = { 0 };
    u64          seed = 11;

    for (int step = 0; step < 50000; step++) {
        u32 n = (u32)dice_below(&seed, 96), c = (u32)dice_below(&seed, 4), x = (u32)dice(&seed),
            got;

        if (n % 4)
            n %= 8; // a few are busy
        switch (dice_below(&seed, 7)) {
        case 0:
        case 1:
            m.pending[n] |= n && !m.level[n] && (x & 1);
            m.level[n] = n && (x & 1);
            line(n, x & 1);
            break;
        case 2:
            got = get(CLAIM(c));
            EXPECT_EQ(got, model_best(&m, c), "claim at step %d", step);
            m.claimed[got] = got, m.pending[got] = false;
            break;
        case 3:
            put(CLAIM(c), n);
            if (n && m.enabled[c][n] && m.claimed[n]) {
                m.claimed[n] = false;
                m.pending[n] |= m.level[n];
            }
            break;
        case 4: put(PRIORITY(n), x), m.priority[n] = n ? x & 7 : 0; break;
        case 5: put(THRESHOLD(c), x % 4), m.threshold[c] = x % 4; break;
        default:
            put(ENABLE(c, n / 32), x);
            for (u32 i = 0; i < 32; i++)
                m.enabled[c][n / 32 * 32 + i] = x >> i & 1 && (n / 32 || i);
            break;
        }
        model_compare(&m);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(an_interrupt_from_rise_to_completion),
        RUN_ON_RIG(priority_then_number),
        RUN_ON_RIG(threshold),
        RUN_ON_RIG(priority_0_never_interrupts),
        RUN_ON_RIG(source_0_is_nothing),
        RUN_ON_RIG(completion_of_what_is_not_claimed),
        RUN_ON_RIG(lines_that_do_not_exist),
        RUN_ON_RIG(contexts_of_the_board),
        RUN_ON_RIG(reset_forgets),
        RUN_ON_RIG(all_offsets),
        RUN_ON_RIG(random_run),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

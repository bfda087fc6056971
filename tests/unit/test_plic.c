// SPDX-License-Identifier: MIT
// The driver of the machine's interrupt controller: what it enables, how it claims, and that no
// source can keep the monitor.
#include "arch/host/fake.h"

// Other tests have stand-ins for these, and the rig brings them along.
#define irq_connect plic_connect
#define irq_of_node plic_of_node
#define irq_again   plic_again
#define irq_handle  plic_handle
#define irq_again_at plic_again_at
#include "dev/plic.c"
#undef irq_connect
#undef irq_of_node
#undef irq_again
#undef irq_handle
#undef irq_again_at

#include "lib/bits.h"
#include "rig/mmio.h"
#include "unit.h"

#define BASE    0xc000000ul
#define CONTEXT 3 // hart 1's, for M-mode
#define DISK    5
#define CARD    9
#define PAUSE   50 // ticks: 5 us

// A controller of 64 sources, of which each is as loud as any other (PLIC 1.0.0, chapters 4 to 9).
static struct {
    u64      high, pending, claimed, enabled; // a bit for each source
    u32      priority[64], threshold;
    unsigned n_claims, n_completions, n_handled[64];
    bool     stays[64]; // its handler does not quiet it
} chip;

static void lines_look(void)
{
    chip.pending |= chip.high & ~chip.claimed;
    if (chip.pending & chip.enabled)
        fake_hart.irq_pending |= BIT(IRQ_MEI);
    else
        fake_hart.irq_pending &= ~BIT(IRQ_MEI);
}

static u32 chip_read(void *arg, u64 off, unsigned size)
{
    u64 ready = chip.pending & chip.enabled;
    u32 source;

    (void)arg;
    assert_int_equal(size, 4);
    if (off == 0x2000 + 0x80 * CONTEXT)
        return (u32)chip.enabled;
    assert_int_equal(off, 0x200004 + 0x1000 * CONTEXT);
    chip.n_claims++;
    if (!ready)
        return 0;
    source = (u32)__builtin_ctzl(ready);
    chip.pending &= ~BIT(source);
    chip.claimed |= BIT(source);
    lines_look();
    return source;
}

static void chip_write(void *arg, u64 off, unsigned size, u32 value)
{
    (void)arg;
    assert_int_equal(size, 4);
    if (off < 0x1000) {
        chip.priority[off / 4] = value;
    } else if (off == 0x2000 + 0x80 * CONTEXT) {
        chip.enabled = value;
    } else if (off == 0x200000 + 0x1000 * CONTEXT) {
        chip.threshold = value;
    } else {
        assert_int_equal(off, 0x200004 + 0x1000 * CONTEXT);
        assert_true(chip.claimed & BIT(value));
        chip.claimed &= ~BIT(value);
        chip.n_completions++;
    }
    lines_look();
}

static void line_set(u32 source, bool is_high)
{
    chip.high = is_high ? chip.high | BIT(source) : chip.high & ~BIT(source);
    lines_look();
}

static void served(void *arg)
{
    u32 source = (u32)(u64)arg;

    chip.n_handled[source]++;
    if (!chip.stays[source])
        line_set(source, false);
}

static u64 wanted_at;

static void wants_more(void *arg)
{
    served(arg);
    plic_again((u32)(u64)arg, wanted_at);
}

// Two harts of two contexts each, in the other order, as no rule forbids.
static void tree_make(void *to, int room, bool is_ours_there)
{
    fdt32_t ours[8];
    u32     pairs[8] = { 1, IRQ_MEI, 1, 9, 2, 9, 2, is_ours_there ? IRQ_MEI : 9 };

    for (int i = 0; i < 8; i++)
        ours[i] = cpu_to_fdt32(pairs[i]);
    assert_int_equal(fdt_create(to, room), 0);
    fdt_finish_reservemap(to);
    fdt_begin_node(to, "");
    fdt_property_u32(to, "#address-cells", 2);
    fdt_property_u32(to, "#size-cells", 2);
    for (u32 hart = 0; hart < 2; hart++) {
        fdt_begin_node(to, hart ? "cpu@1" : "cpu@0");
        fdt_property_u32(to, "reg", hart);
        fdt_begin_node(to, "interrupt-controller");
        fdt_property_u32(to, "phandle", hart + 1);
        fdt_end_node(to);
        fdt_end_node(to);
    }
    fdt_begin_node(to, "plic");
    fdt_property(to, "reg", (fdt64_t[]){ cpu_to_fdt64(BASE), cpu_to_fdt64(0x600000) }, 16);
    fdt_property(to, "interrupts-extended", ours, sizeof ours);
    fdt_property_u32(to, "riscv,ndev", 31);
    fdt_end_node(to);
    fdt_end_node(to);
    assert_int_equal(fdt_finish(to), 0);
}

static bool probe(bool is_ours_there)
{
    u8 tree[2048];

    tree_make(tree, sizeof tree, is_ours_there);
    return plic_probe(tree, fdt_path_offset(tree, "/plic"));
}

static int setup(void **state)
{
    (void)state;
    bench_reset();
    mmio_forget();
    memset(&chip, 0, sizeof chip);
    memset(&plic, 0, sizeof plic);
    plic_again_at = ~0ul;
    wanted_at     = 0;
    chip.threshold = 7;
    mmio_attach(&(struct mmio_chip){ BASE, 0x600000, chip_read, chip_write, NULL });
    fake_hart.id          = 1;
    fake_hart.irq_enabled = BIT(IRQ_MEI) | BIT(IRQ_MSI);
    assert_true(probe(true));
    return 0;
}

static void connect(u32 source, irq_handler *handler)
{
    assert_true(plic_connect(source, handler, (void *)(u64)source));
}

TEST(the_context_is_this_harts_for_m_mode)
{
    EXPECT_EQ(plic.context, CONTEXT, "by its place in the list");
    EXPECT_EQ(chip.threshold, 0, "everything may come");
    connect(DISK, served);
    EXPECT_EQ(chip.enabled, BIT(DISK), "this source alone");
    EXPECT_EQ(chip.priority[DISK], 1, "0 would be never (4)");
}

TEST(a_controller_without_our_context_is_none)
{
    memset(&plic, 0, sizeof plic);
    assert_false(probe(false));
    assert_false(plic_connect(DISK, served, NULL));
}

TEST(a_source_that_is_not_there_is_refused)
{
    assert_false(plic_connect(0, served, NULL));
    assert_false(plic_connect(32, served, NULL));
    connect(31, served);
}

TEST(one_that_pends_costs_one_claim)
{
    connect(DISK, served);
    line_set(DISK, true);
    plic_handle();
    EXPECT_EQ(chip.n_handled[DISK], 1, "once");
    EXPECT_EQ(chip.n_claims, 1, "nothing else pends, so nobody asks");
    EXPECT_EQ(chip.n_completions, 1, "completed");
}

TEST(all_that_pend_are_handled_in_one_stay)
{
    connect(DISK, served);
    connect(CARD, served);
    line_set(CARD, true);
    line_set(DISK, true);
    plic_handle();
    EXPECT_EQ(chip.n_handled[DISK], 1, "the first");
    EXPECT_EQ(chip.n_handled[CARD], 1, "and the second");
    EXPECT_EQ(chip.n_claims, 2, "one each");
    EXPECT_EQ(hart_irq_pending(), 0, "no reason to come again");
}

// Its line is still up when it is completed, or up again: the others come first, and the guests.
TEST(a_loud_source_is_handled_once_in_a_stay)
{
    connect(DISK, served);
    connect(CARD, served);
    chip.stays[DISK] = true;
    line_set(DISK, true);
    line_set(CARD, true);
    plic_handle();
    EXPECT_EQ(chip.n_handled[DISK], 1, "once");
    EXPECT_EQ(chip.n_handled[CARD], 1, "the other one as well");
    for (unsigned stay = 2; stay < 10; stay++) {
        EXPECT_EQ(plic_again_at, fake_hart.time + PAUSE, "there is another stay before long");
        fake_hart.time += PAUSE;
        line_set(CARD, true);
        plic_handle();
        EXPECT_EQ(chip.n_handled[DISK], stay, "once in each");
        EXPECT_EQ(chip.n_handled[CARD], stay, "the other one as well");
    }
    chip.stays[DISK] = false;
    fake_hart.time += PAUSE;
    plic_handle();
    EXPECT_EQ(chip.claimed, 0, "nothing stays claimed");
    EXPECT_EQ(hart_irq_pending() & BIT(IRQ_MEI), 0, "quiet");
}

// What is claimed a second time in one stay is not lost, though its line may be down by then.
TEST(a_second_claim_is_handled_in_the_next_stay)
{
    connect(DISK, served);
    chip.stays[DISK] = true;
    line_set(DISK, true);
    plic_handle();
    EXPECT_EQ(chip.claimed, BIT(DISK), "nobody is told of it before that");
    line_set(DISK, false);
    EXPECT_EQ(plic_again_at, fake_hart.time + PAUSE, "another stay before long");
    fake_hart.time += PAUSE;
    plic_handle();
    EXPECT_EQ(plic_again_at, ~0ul, "and none after it");
    EXPECT_EQ(chip.n_handled[DISK], 2, "as it asked for");
    EXPECT_EQ(chip.claimed, 0, "completed");
    plic_handle();
    EXPECT_EQ(chip.n_handled[DISK], 2, "and no more");
}

TEST(a_handler_with_more_to_do_is_called_again_and_once)
{
    connect(CARD, wants_more);
    line_set(CARD, true);
    plic_handle();
    EXPECT_EQ(chip.n_handled[CARD], 1, "one stay");
    EXPECT_EQ(plic_again_at, fake_hart.time + PAUSE, "another one before long");
    plic_handle();
    EXPECT_EQ(chip.n_handled[CARD], 1, "a guest is let in first");
    fake_hart.time += PAUSE;
    plic.line[CARD].handler = served; // it is done
    plic_handle();
    plic_handle();
    EXPECT_EQ(chip.n_handled[CARD], 2, "once more, and no more");
}

// It may be loud meanwhile: nobody hears it, and the others are heard.
TEST(a_handler_that_asks_for_a_time_is_not_called_before)
{
    connect(DISK, served);
    connect(CARD, wants_more);
    fake_hart.time = 1000;
    wanted_at      = 5000;
    line_set(CARD, true);
    plic_handle();
    EXPECT_EQ(chip.n_handled[CARD], 1, "one stay");
    EXPECT_EQ(plic_again_at, 5000, "the next one");
    for (unsigned stay = 0; stay < 5; stay++) {
        line_set(CARD, true);
        line_set(DISK, true);
        plic_handle();
        EXPECT_EQ(chip.n_handled[CARD], 1, "not yet");
        EXPECT_EQ(chip.n_handled[DISK], stay + 1, "the other one");
        EXPECT_EQ(hart_irq_pending(), 0, "nothing calls before the time");
        EXPECT_EQ(plic_again_at, 5000, "the next one");
    }
    fake_hart.time = wanted_at = 6000;
    plic.line[CARD].handler    = served;
    plic_handle();
    EXPECT_EQ(chip.n_handled[CARD], 2, "now");
    EXPECT_EQ(chip.claimed, 0, "and completed");
    EXPECT_EQ(plic_again_at, ~0ul, "all is done");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_context_is_this_harts_for_m_mode, setup),
        cmocka_unit_test_setup(a_controller_without_our_context_is_none, setup),
        cmocka_unit_test_setup(a_source_that_is_not_there_is_refused, setup),
        cmocka_unit_test_setup(one_that_pends_costs_one_claim, setup),
        cmocka_unit_test_setup(all_that_pend_are_handled_in_one_stay, setup),
        cmocka_unit_test_setup(a_loud_source_is_handled_once_in_a_stay, setup),
        cmocka_unit_test_setup(a_second_claim_is_handled_in_the_next_stay, setup),
        cmocka_unit_test_setup(a_handler_with_more_to_do_is_called_again_and_once, setup),
        cmocka_unit_test_setup(a_handler_that_asks_for_a_time_is_not_called_before, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

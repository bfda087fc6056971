// SPDX-License-Identifier: MIT
// The door to guest memory, at its borders; timers of a vCPU.
#include "unit.h"

static struct rig *r;

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r = rig_make(&(struct rig_options){ .ram_size = 2 * MIB });
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

static bool spec(u64 at, u64 len)
{
    unsigned __int128 end = (unsigned __int128)at + len;

    return at >= VM_RAM_BASE && end <= (unsigned __int128)VM_RAM_BASE + 2 * MIB;
}

// RAM is fenced by pages without any access: a wrong answer ends the program.
TEST(borders)
{
    static const u64 near[] = { 0,         1,         VM_RAM_BASE, VM_RAM_BASE + 2 * MIB,
                                1ul << 32, 1ul << 56, 1ul << 63,   ~0ul };
    static const u64 lens[] = { 0,           1,       2,           7,         8,         9,   4096,
                                2 * MIB - 1, 2 * MIB, 2 * MIB + 1, 1ul << 32, 1ul << 63, ~0ul };
    static char      buffer[2 * MIB];

    for (size_t i = 0; i < ARRAY_LEN(near); i++)
        for (u64 d = 0; d < 20; d++)
            for (size_t l = 0; l < ARRAY_LEN(lens); l++) {
                u64  at = near[i] + d - 10;
                bool in = spec(at, lens[l]);

                EXPECT_EQ(gmem_contains(&r->vm, gpa(at), lens[l]), in, "at %lx len %lx", at,
                          lens[l]);
                if (in || lens[l] <= sizeof buffer) {
                    EXPECT_EQ(gmem_read(&r->vm, gpa(at), buffer, lens[l]), in, "at %lx len %lx", at,
                              lens[l]);
                    EXPECT_EQ(gmem_write(&r->vm, gpa(at), buffer, lens[l]), in, "at %lx len %lx",
                              at, lens[l]);
                }
            }
}

TEST(one_that_is_off_has_no_memory)
{
    hpa_t ram = r->vm.ram;
    u64   word;

    r->vm.ram = hpa(0);
    assert_false(gmem_read(&r->vm, gpa(VM_RAM_BASE), &word, sizeof word));
    assert_false(gmem_write(&r->vm, gpa(VM_RAM_BASE), &word, sizeof word));
    assert_false(gmem_pte(&r->vm, VM_RAM_BASE, &word));
    r->vm.ram = ram;
}

TEST(a_refused_access_copies_nothing)
{
    char buffer[16] = "untouched";

    assert_false(gmem_read(&r->vm, gpa(VM_RAM_BASE + 2 * MIB - 8), buffer, 16));
    assert_string_equal(buffer, "untouched");
    assert_false(gmem_write(&r->vm, gpa(VM_RAM_BASE + 2 * MIB - 8), buffer, 16));
    EXPECT_EQ(rig_word(r, VM_RAM_BASE + 2 * MIB - 8), 0, "RAM");
}

TEST(bits_are_set_in_what_was_expected)
{
    rig_word_set(r, VM_RAM_BASE, 0x10);
    assert_false(gmem_set_bits(&r->vm, gpa(VM_RAM_BASE), 0x11, 0x40));
    EXPECT_EQ(rig_word(r, VM_RAM_BASE), 0x10, "changed meanwhile");
    assert_true(gmem_set_bits(&r->vm, gpa(VM_RAM_BASE), 0x10, 0xc0));
    EXPECT_EQ(rig_word(r, VM_RAM_BASE), 0xd0, "set");
    assert_false(gmem_set_bits(&r->vm, gpa(VM_RAM_BASE + 4), 0, 1));
    assert_false(gmem_set_bits(&r->vm, gpa(VM_RAM_BASE + 2 * MIB), 0, 1));
    assert_false(gmem_set_bits(&r->vm, gpa(VM_RAM_BASE - 8), 0, 1));
    assert_false(gmem_set_bits(&r->vm, gpa(~7ul), 0, 1));
}

TEST(entries)
{
    u64 pte = 0;

    rig_word_set(r, VM_RAM_BASE + 2 * MIB - 8, 0x1234);
    assert_true(gmem_pte(&r->vm, VM_RAM_BASE + 2 * MIB - 8, &pte));
    EXPECT_EQ(pte, 0x1234, "the last");
    assert_false(gmem_pte(&r->vm, VM_RAM_BASE + 2 * MIB, &pte));
    assert_false(gmem_pte(&r->vm, 0, &pte));
}

TEST(timer_lines)
{
    fake_hart.time = 100;
    timer_set(r->v, 101);
    EXPECT_EQ(r->v->irq_lines, 0, "not yet");
    EXPECT_EQ(timer_next(r->v), 101, "next");
    fake_hart.time = 101;
    timer_check(r->v);
    EXPECT_EQ(r->v->irq_lines, BIT(IRQ_STI), "due");
    EXPECT_EQ(timer_next(r->v), ~0ul, "nothing more to wait for");
    timer_set(r->v, ~0ul);
    fake_hart.time = ~0ul - 1;
    timer_check(r->v);
    EXPECT_EQ(r->v->irq_lines, 0, "~0 never comes");
    fake_hart.time = 5;
    timer_set(r->v, 0);
    EXPECT_EQ(r->v->irq_lines, BIT(IRQ_STI), "0 is at once");
    timer_set(r->v, 1ul << 63);
    EXPECT_EQ(r->v->irq_lines, 0, "2^63 is far, not past");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(borders),
        RUN_ON_RIG(one_that_is_off_has_no_memory),
        RUN_ON_RIG(a_refused_access_copies_nothing),
        RUN_ON_RIG(bits_are_set_in_what_was_expected),
        RUN_ON_RIG(entries),
        RUN_ON_RIG(timer_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

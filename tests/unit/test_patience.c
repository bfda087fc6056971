// SPDX-License-Identifier: MIT
// How long a device holds back what a driver may not wait for.
#include "unit.h"

#include "dev/machine.h"
#include "vdev/patience.h"

static struct patience p;
static u64             now;

static u64 us(u64 n)
{
    return machine.timebase_hz / 1000 * n / 1000;
}

static int setup(void **state)
{
    (void)state;
    bench_reset();
    now = us(5000);
    patience_reset(&p);
    patience_offered(&p, now, 1);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    return 0;
}

// Something is held, and the driver makes offers, `each` us apart; how long it is held, in us.
static u64 held_with(u32 offers, u64 each)
{
    u64 begun = now;

    patience_begin(&p, now);
    for (; offers && now + us(each) < p.until; offers--) {
        now += us(each);
        patience_offered(&p, now, 1);
    }
    now = p.until;
    patience_end(&p, now);
    return (now - begun) / us(1);
}

TEST(holds_nothing_at_first)
{
    EXPECT_EQ(p.until, ~0ul, "never");
    patience_end(&p, now);
    EXPECT_EQ(p.until, ~0ul, "nothing ended");
}

// A process that waits for its request, beside others that use the hart.
static u64 held_for_one_who_waits(void)
{
    u64 held = held_with(0, 0);

    patience_offered(&p, now, 1); // what it does next
    now += us(90);
    return held;
}

TEST(who_offers_nothing_is_told_soon_but_for_few_trials)
{
    static const int between[] = { 1, 3, 7, 15, 31, 63, 127, 255, 255 };

    for (size_t trial = 0; trial < ARRAY_LEN(between); trial++) {
        for (int turn = 0; turn < between[trial]; turn++)
            EXPECT_EQ(held_for_one_who_waits(), PATIENCE_MIN_US, "%zu: %d", trial, turn);
        EXPECT_EQ(held_for_one_who_waits(), PATIENCE_MAX_US, "trial %zu", trial);
    }
}

// Its next offer comes when it would long have been told.
TEST(who_computes_between_offers_is_found_by_a_trial)
{
    for (int turn = 0; turn < 4; turn++)
        (void)held_for_one_who_waits();
    EXPECT_EQ(held_for_one_who_waits(), PATIENCE_MIN_US, "the last before the trial");
    EXPECT_EQ(held_with(9, 600), PATIENCE_MAX_US, "the trial");
    EXPECT_EQ(held_with(9, 600), PATIENCE_OFFERS * 600, "as often as it offers");
    for (u64 held = 0; held != PATIENCE_MAX_US;)
        held = held_with(0, 0); // it waits again
    EXPECT_EQ(held_with(0, 0), PATIENCE_MIN_US, "one");
    EXPECT_EQ(held_with(0, 0), PATIENCE_MAX_US, "and a trial, since one has told something");
}

// A hold that ends before its time tells nothing of one who offers nothing.
TEST(a_trial_that_ends_early_is_not_in_vain)
{
    (void)held_for_one_who_waits();
    for (int turn = 0; turn < 3; turn++) {
        patience_begin(&p, now);
        EXPECT_EQ(p.until, now + us(PATIENCE_MAX_US), "turn %d: a trial", turn);
        patience_end(&p, now + us(10));
    }
}

TEST(who_offers_is_told_of_several)
{
    (void)held_with(1, 150);
    patience_offered(&p, now, 1);
    EXPECT_EQ(held_with(9, 150), PATIENCE_OFFERS * 150, "as often as it offers");
    EXPECT_EQ(held_with(9, 20), PATIENCE_OFFERS * 150, "and by the last time");
    EXPECT_EQ(held_with(9, 20), PATIENCE_MIN_US, "the least");
}

TEST(many_offers_at_once_are_many)
{
    patience_offered(&p, now, 1);
    patience_begin(&p, now);
    now += us(180);
    patience_offered(&p, now, 2);
    patience_end(&p, now);
    EXPECT_EQ(held_with(0, 0), PATIENCE_OFFERS * 90, "90 us for each");
}

TEST(nothing_is_held_for_long)
{
    now += us(1000000);
    patience_begin(&p, now);
    patience_offered(&p, now + us(10), 1); // the one before was a second ago
    patience_end(&p, now + us(10));
    EXPECT_EQ(held_with(0, 0), PATIENCE_MAX_US, "the most");
}

// It was thought to have other work, and has not.
TEST(whose_offers_end_is_told_late_a_few_times)
{
    (void)held_with(1, 150);
    EXPECT_EQ(held_with(9, 150), PATIENCE_OFFERS * 150, "it streams");
    EXPECT_EQ(held_with(0, 0), PATIENCE_OFFERS * 150, "the first that it waits for");
    EXPECT_EQ(held_with(0, 0), 2 * PATIENCE_OFFERS * 150, "or was the time too short?");
    EXPECT_EQ(held_with(0, 0), 4 * PATIENCE_OFFERS * 150, "it was not");
    EXPECT_EQ(held_with(0, 0), PATIENCE_MAX_US, "the longest");
    EXPECT_EQ(held_with(0, 0), PATIENCE_MIN_US, "the next");
}

TEST(who_offers_less_often_is_told_later)
{
    (void)held_with(1, 150);
    EXPECT_EQ(held_with(9, 700), PATIENCE_OFFERS * 150, "none came within that");
    EXPECT_EQ(held_with(9, 700), 2 * PATIENCE_OFFERS * 150, "one did");
    EXPECT_EQ(held_with(9, 700), PATIENCE_MAX_US, "as often as it offers now");
}

// What is told sooner, for the machine is idle or the lot is full, says nothing of the driver.
TEST(an_early_end_changes_nothing)
{
    (void)held_with(1, 150);
    patience_begin(&p, now);
    patience_end(&p, now + us(1));
    EXPECT_EQ(held_with(0, 0), PATIENCE_OFFERS * 150, "as it was");
}

TEST(held_already_is_not_held_anew)
{
    patience_begin(&p, now);

    u64 until = p.until;

    patience_begin(&p, now + us(100));
    EXPECT_EQ(p.until, until, "since the first");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN_ON_RIG(holds_nothing_at_first),
        RUN_ON_RIG(who_offers_nothing_is_told_soon_but_for_few_trials),
        RUN_ON_RIG(who_computes_between_offers_is_found_by_a_trial),
        RUN_ON_RIG(a_trial_that_ends_early_is_not_in_vain),
        RUN_ON_RIG(who_offers_is_told_of_several),
        RUN_ON_RIG(many_offers_at_once_are_many),
        RUN_ON_RIG(nothing_is_held_for_long),
        RUN_ON_RIG(whose_offers_end_is_told_late_a_few_times),
        RUN_ON_RIG(who_offers_less_often_is_told_later),
        RUN_ON_RIG(an_early_end_changes_nothing),
        RUN_ON_RIG(held_already_is_not_held_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

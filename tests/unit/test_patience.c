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
TEST(who_offers_nothing_is_told_soon)
{
    for (int turn = 0; turn < 5; turn++) {
        EXPECT_EQ(held_with(0, 0), PATIENCE_MIN_US, "turn %d", turn);
        patience_offered(&p, now, 1); // what it does next
        now += us(90);
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
TEST(whose_offers_end_is_told_late_once)
{
    (void)held_with(1, 150);
    EXPECT_EQ(held_with(9, 150), PATIENCE_OFFERS * 150, "it streams");
    EXPECT_EQ(held_with(0, 0), PATIENCE_OFFERS * 150, "the first that it waits for");
    EXPECT_EQ(held_with(0, 0), PATIENCE_MIN_US, "the next");
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
        RUN_ON_RIG(who_offers_nothing_is_told_soon),
        RUN_ON_RIG(who_offers_is_told_of_several),
        RUN_ON_RIG(many_offers_at_once_are_many),
        RUN_ON_RIG(nothing_is_held_for_long),
        RUN_ON_RIG(whose_offers_end_is_told_late_once),
        RUN_ON_RIG(an_early_end_changes_nothing),
        RUN_ON_RIG(held_already_is_not_held_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// Who gets which share of the harts, and how long one has to wait (S4), in simulated time.
#include "unit.h"

#include "rig/sim.h"

#define ALL ~0ul

static const struct job spins = { 0, 0 };

static void expect_share(unsigned guest, u64 permille, u64 off_by)
{
    u64 share = sim_share(guest);

    if (share + off_by < permille || share > permille + off_by)
        fail_msg("guest %u had %lu thousandths of a hart, not %lu", guest, share, permille);
}

static void expect_wait(unsigned guest, u64 ms_at_most)
{
    if (sim_guests[guest].worst > ms_at_most * MS)
        fail_msg("guest %u had to wait for %lu us", guest, 1000 * sim_guests[guest].worst / MS);
}

TEST(weights_on_one_hart)
{
    sim_begin(1, NULL);
    sim_start(spins, 100, 0, ALL);
    sim_start(spins, 200, 0, ALL);
    sim_start(spins, 400, 0, ALL);
    sim_run(10000 * MS);
    expect_share(0, 143, 7);
    expect_share(1, 286, 14);
    expect_share(2, 571, 28);
    sim_end();
}

TEST(weights_far_apart)
{
    sim_begin(1, NULL);
    sim_start(spins, 1, 0, ALL);
    sim_start(spins, 1000, 0, ALL);
    sim_run(60000 * MS);
    expect_share(0, 1, 1);
    expect_share(1, 999, 1);
    sim_end();
}

// The heaviest is due 8/7 of a hart: it has one, and the others share the other one.
TEST(weights_on_two_harts)
{
    sim_begin(2, NULL);
    sim_start(spins, 100, 0, ALL);
    sim_start(spins, 200, 0, ALL);
    sim_start(spins, 400, 0, ALL);
    sim_run(10000 * MS);
    expect_share(0, 333, 17);
    expect_share(1, 667, 34);
    expect_share(2, 1000, 10);
    sim_end();
}

TEST(three_on_two_harts)
{
    sim_begin(2, (const u32[]){ 3, 1 });
    for (unsigned i = 0; i < 3; i++)
        sim_start(spins, 100, 0, ALL);
    sim_run(10000 * MS);
    for (unsigned i = 0; i < 3; i++) {
        expect_share(i, 667, 20);
        expect_wait(i, 12);
    }
    sim_end();
}

TEST(a_cap_holds)
{
    sim_begin(2, NULL);
    sim_start(spins, 100, 30, ALL);
    sim_run(5000 * MS);
    expect_share(0, 300, 10);
    sim_start(spins, 100, 0, 1);
    sim_start(spins, 100, 0, 1);
    sim_start(spins, 100, 0, 2);
    sim_run(5000 * MS);
    expect_share(0, 300, 10);
    sim_end();
}

TEST(guests_stay_on_their_harts)
{
    sim_begin(4, (const u32[]){ 2, 0, 7, 5 });
    sim_start(spins, 100, 0, BIT(7));
    sim_start(spins, 100, 0, BIT(7) | BIT(5));
    sim_start((struct job){ 3 * MS, MS }, 100, 0, BIT(0));
    sim_start((struct job){ MS, MS }, 100, 0, BIT(0) | BIT(2));
    sim_run(2000 * MS);
    EXPECT_EQ(sim_guests[0].on_harts, BIT(2), "hart 7 has index 2");
    assert_false(sim_guests[1].on_harts & ~(BIT(2) | BIT(3)));
    EXPECT_EQ(sim_guests[2].on_harts, BIT(1), "hart 0 has index 1");
    assert_false(sim_guests[3].on_harts & ~(BIT(0) | BIT(1)));
    expect_share(0, 1000, 30);
    expect_share(1, 1000, 30);
    sim_end();
}

TEST(a_hart_whose_number_is_large_takes_all)
{
    sim_begin(1, (const u32[]){ 64 });
    sim_start(spins, 100, 0, BIT(3));
    sim_run(100 * MS);
    expect_share(0, 1000, 0);
    sim_end();
}

// It computes for nearly a slice, and sleeps for as short as it can (S4).
TEST(those_who_cheat_gain_nothing)
{
    static const u64 bursts_us[] = { 50, 200, 900, 1100, 4900, 5100, 20000 };

    for (size_t i = 0; i < ARRAY_LEN(bursts_us); i++) {
        sim_begin(1, NULL);
        sim_start(spins, 100, 0, ALL);
        sim_start((struct job){ bursts_us[i] * MS / 1000, MS / 100 }, 100, 0, ALL);
        sim_run(10000 * MS);
        assert_true(sim_share(0) >= 475);
        expect_wait(0, 10);
        sim_end();
    }
}

TEST(one_who_wakes_soon_runs)
{
    for (unsigned n = 1; n < 6; n++) {
        sim_begin(1, NULL);
        for (unsigned i = 0; i < n; i++)
            sim_start(spins, 100, 0, ALL);
        sim_start((struct job){ MS / 4, 37 * MS / 3 }, 100, 0, ALL);
        sim_run(100 * MS);
        sim_forget();
        sim_run(5000 * MS);
        expect_wait(n, 6);
        sim_end();
    }
}

// The others have no end of their slice while they are alone.
TEST(one_who_has_had_more_runs_after_a_slice)
{
    sim_begin(1, NULL);
    sim_start((struct job){ 4 * MS, 1000000 * MS }, 100, 0, ALL);
    sim_start(spins, 100, 0, ALL);
    sim_run(6 * MS); // the first has had 4 ms and sleeps; the other has had less, and is alone
    sim_line(0);
    sim_run(100 * MS);
    expect_wait(0, 10);
    assert_true(sim_guests[0].slept > 0);
    sim_end();
}

TEST(a_late_starter_is_owed_nothing)
{
    sim_begin(1, NULL);
    sim_start(spins, 100, 0, ALL);
    sim_run(20000 * MS);
    sim_start(spins, 100, 0, ALL);
    sim_forget();
    sim_run(1000 * MS);
    expect_share(0, 500, 25);
    expect_wait(0, 10);
    expect_wait(1, 10);
    sim_end();
}

// Who slept while others were alone, and those, are beside each other afterwards.
TEST(what_one_had_alone_is_forgotten)
{
    sim_begin(1, NULL);
    sim_start((struct job){ 10000 * MS, 10000 * MS }, 100, 0, ALL);
    sim_run(15000 * MS); // it has had 10 s, and sleeps
    sim_start(spins, 100, 0, ALL);
    sim_run(5000 * MS); // alone
    sim_forget();
    sim_run(1000 * MS); // both
    expect_share(0, 500, 30);
    expect_share(1, 500, 30);
    sim_end();
}

// One whose weight is due more than a hart falls behind the others without bound, unless it is
// told: a newcomer beside it would starve them.
TEST(one_that_fills_its_hart_saves_up_nothing)
{
    sim_begin(2, NULL);
    sim_start(spins, 1000, 0, ALL);
    sim_start(spins, 100, 0, ALL);
    sim_start(spins, 100, 0, ALL);
    sim_run(20000 * MS);
    sim_start(spins, 100, 0, ALL);
    sim_forget();
    sim_run(2000 * MS);
    for (unsigned i = 1; i < 4; i++) {
        expect_wait(i, 40);
        expect_share(i, 333, 30);
    }
    sim_end();
}

TEST(one_that_is_capped_saves_up_nothing)
{
    sim_begin(1, NULL);
    sim_start(spins, 100, 10, ALL);
    sim_start(spins, 100, 0, ALL);
    sim_start(spins, 100, 0, ALL);
    sim_run(20000 * MS);
    sim_start(spins, 100, 0, ALL);
    sim_forget();
    sim_run(2000 * MS);
    expect_share(0, 100, 10);
    for (unsigned i = 1; i < 4; i++) {
        expect_wait(i, 60);
        expect_share(i, 300, 30);
    }
    sim_end();
}

// Where harts are not the same for all, some have more than others; a newcomer starves nobody.
TEST(a_newcomer_starves_nobody_elsewhere)
{
    sim_begin(2, NULL);
    for (unsigned i = 0; i < 4; i++)
        sim_start(spins, 100, 0, BIT(0));
    sim_start(spins, 100, 0, BIT(1));
    sim_start(spins, 100, 0, BIT(1));
    sim_run(20000 * MS);
    sim_start(spins, 100, 0, ALL);
    sim_start((struct job){ 2 * MS, 3 * MS }, 100, 0, ALL);
    sim_forget();
    sim_run(2000 * MS);
    for (unsigned i = 0; i < 8; i++)
        expect_wait(i, 60);
    for (unsigned i = 0; i < 7; i++)
        assert_true(sim_share(i) > 180);
    sim_end();
}

// A held guest runs nowhere; released, it is not forgotten by harts that were alone meanwhile.
TEST(hold_and_release)
{
    sim_begin(2, NULL);
    for (unsigned i = 0; i < 3; i++)
        sim_start(spins, 100, 0, i == 1 ? BIT(1) : ALL);
    sim_run(103 * MS);
    sim_hart(0);
    for (unsigned i = 0; i < 3; i++)
        if (!sched_is_on_hart(sim_guests[i].r->v)) { // the others go on alone
            vm_hold(&sim_guests[i].r->vm);
            sim_run(50 * MS);
            sim_hart(0);
            assert_false(sched_is_on_hart(sim_guests[i].r->v));
            sim_guests[i].ready_at = fake_hart.time;
            vm_release(&sim_guests[i].r->vm);
            sim_forget();
            sim_run(100 * MS);
            expect_wait(i, 12);
            break;
        }
    sim_end();
}

// A guest that sleeps is paused, and resumed after its hart has forgotten it.
TEST(a_resumed_sleeper_is_woken_by_its_timer)
{
    for (unsigned busy = 0; busy < 2; busy++) {
        sim_begin(1, NULL);
        sim_start((struct job){ MS, 50 * MS }, 100, 0, ALL);
        if (busy)
            sim_start(spins, 100, 0, ALL);
        sim_run(5 * MS);
        vm_pause(&sim_guests[0].r->vm);
        sim_run(10 * MS);
        vm_resume(&sim_guests[0].r->vm);
        sim_run(500 * MS);
        assert_true(sim_guests[0].slept > 300 * MS);
        assert_true(sim_share(0) >= 15);
        sim_end();
    }
}

// One that has had much wakes on a hart where others have had little, while another hart's guest is
// alone and so has no end of its slice.
TEST(one_that_is_alone_keeps_its_hart_from_nobody)
{
    sim_begin(2, NULL);
    sim_start(spins, 100, 0, BIT(0));
    sim_run(20000 * MS); // it has had 20 s, and is alone
    sim_start((struct job){ 2 * MS, 3 * MS }, 100, 0, ALL);
    sim_run(1000 * MS);
    for (unsigned i = 0; i < 3; i++)
        sim_start((struct job){ 30 * MS, 7 * MS }, 100, 0, BIT(1));
    sim_run(100 * MS);
    sim_forget();
    sim_run(20000 * MS);
    for (unsigned i = 0; i < 5; i++)
        expect_wait(i, 60);
    sim_end();
}

// Two that are capped do not keep each other where a newcomer would be owed seconds.
TEST(a_newcomer_beside_capped_ones_is_owed_nothing)
{
    sim_begin(1, NULL);
    sim_start(spins, 100, 10, ALL);
    sim_start(spins, 100, 10, ALL);
    sim_start(spins, 100, 0, ALL);
    sim_run(20000 * MS);
    sim_start(spins, 100, 0, ALL);
    sim_forget();
    sim_run(2000 * MS);
    for (unsigned i = 2; i < 4; i++) {
        expect_wait(i, 60);
        expect_share(i, 400, 40);
    }
    sim_end();
}

// Those of another hart who have had less, and one that may come to it.
TEST(newcomers_on_another_hart_are_owed_nothing)
{
    sim_begin(2, NULL);
    sim_start(spins, 100, 0, BIT(0));
    sim_run(20000 * MS);
    for (unsigned i = 1; i < 5; i++)
        sim_start(spins, 100, 0, BIT(0));
    sim_start(spins, 100, 0, BIT(1)); // these have had nothing
    sim_start(spins, 200, 0, BIT(1));
    sim_start(spins, 100, 0, ALL);
    sim_forget();
    sim_run(3000 * MS);
    for (unsigned i = 0; i < 5; i++)
        expect_share(i, 200, 20);
    expect_share(5, 250, 25);
    expect_share(6, 500, 50);
    expect_share(7, 250, 25);
    for (unsigned i = 0; i < 8; i++)
        expect_wait(i, 60);
    sim_end();
}

// Who is held for a moment competes nevertheless.
TEST(a_newcomer_beside_one_that_is_held_is_owed_nothing)
{
    sim_begin(1, NULL);
    sim_start(spins, 100, 0, ALL);
    sim_start((struct job){ MS, 15000 * MS }, 100, 0, ALL);
    sim_run(14990 * MS);
    vm_hold(&sim_guests[0].r->vm);
    sim_run(1 * MS);
    sim_start(spins, 100, 0, ALL);
    sim_run(1 * MS);
    vm_release(&sim_guests[0].r->vm);
    sim_forget();
    sim_run(2000 * MS);
    expect_wait(0, 60);
    expect_share(0, 500, 30);
    sim_end();
}

// Guests sleep and wake while somebody on any hart pauses and resumes them.
TEST(pauses_lose_no_wake_up)
{
    u64 state = 11, resumed[6] = { 0 };

    sim_begin(3, NULL);
    for (unsigned i = 0; i < 6; i++)
        sim_start((struct job){ 1 + dice_below(&state, 4 * MS), 1 + dice_below(&state, 30 * MS) },
                  100, 0, i % 2 ? ALL : BIT(i / 2));
    sim_start(spins, 100, 0, BIT(1));
    for (unsigned n = 0; n < 5000; n++) {
        u64        who = dice_below(&state, 6);
        struct vm *vm  = &sim_guests[who].r->vm;

        sim_hart((unsigned)dice_below(&state, 3));
        vm_state(vm) == VM_PAUSED ? vm_resume(vm) : vm_pause(vm);
        resumed[who] = fake_hart.time;
        sim_run(dice_below(&state, 10 * MS));
        for (unsigned i = 0; i < 6; i++) {
            const struct vcpu *v = sim_guests[i].r->v;

            if (v->sched.place == PLACE_SLEEPING &&
                max_u64(v->csr.stimecmp, resumed[i]) + 100 * MS < fake_hart.time)
                fail_msg("step %u: guest %u sleeps on", n, i);
            if (v->sched.place == PLACE_READY && v->sched.since + 200 * MS < fake_hart.time)
                fail_msg("step %u: guest %u is ready for %lu ms", n, i, (fake_hart.time - v->sched.since)/MS);
        }
    }
    sim_end();
}

// A deadline of a sleeper's that another sets anew is known to the hart that watches over it.
TEST(a_sleepers_new_deadline_is_known)
{
    struct vcpu *v;

    sim_begin(2, NULL);
    sim_start((struct job){ MS, 1000000 * MS }, 100, 0, BIT(1));
    sim_start(spins, 100, 0, BIT(1));
    sim_run(20 * MS);
    v = sim_guests[0].r->v;
    sim_hart(0);
    EXPECT_EQ(v->sched.place, PLACE_SLEEPING, "it sleeps");
    v->csr.stimecmp = fake_hart.time + 10 * MS;
    sched_arm(v);
    sim_run(30 * MS);
    assert_true(sim_guests[0].slept > 0);
    expect_wait(0, 6);
    sim_end();
}

// Every moment is accounted for: on a hart, stolen, or asleep.
TEST(time_adds_up)
{
    u64 state = 7, busy = 0, ran = 0;

    sim_begin(3, NULL);
    for (unsigned i = 0; i < SIM_VMS; i++)
        sim_start((struct job){ 1 + dice_below(&state, 9 * MS), dice_below(&state, 40 * MS) },
                  (u32)(1 + dice_below(&state, 1000)), i % 4 ? 0 : 20, i % 3 ? ALL : BIT(i % 2));
    sim_run(3000 * MS);
    for (unsigned i = 0; i < SIM_VMS; i++) {
        const struct vcpu *v     = sim_guests[i].r->v;
        u64                waits = 0, sum;

        if (v->sched.place == PLACE_READY)
            waits = fake_hart.time - v->sched.since;
        if (v->waiting)
            waits = fake_hart.time - sim_guests[i].asleep_at;
        sum = sched_ran(v) + sched_stolen(v) + sim_guests[i].slept + waits;
        EXPECT_EQ(sum, fake_hart.time - sim_guests[i].begun, "guest %u", i);
        ran += sched_ran(v);
    }
    for (u32 i = 0; i < 3; i++) {
        struct hart_share share;

        assert_true(sched_hart(i, &share));
        busy += share.busy;
    }
    EXPECT_EQ(busy, ran, "what the harts gave is what the guests got");
    sim_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(weights_on_one_hart),
        RUN(weights_far_apart),
        RUN(weights_on_two_harts),
        RUN(three_on_two_harts),
        RUN(a_cap_holds),
        RUN(guests_stay_on_their_harts),
        RUN(a_hart_whose_number_is_large_takes_all),
        RUN(those_who_cheat_gain_nothing),
        RUN(one_who_wakes_soon_runs),
        RUN(one_who_has_had_more_runs_after_a_slice),
        RUN(a_late_starter_is_owed_nothing),
        RUN(what_one_had_alone_is_forgotten),
        RUN(one_that_fills_its_hart_saves_up_nothing),
        RUN(one_that_is_capped_saves_up_nothing),
        RUN(a_newcomer_starves_nobody_elsewhere),
        RUN(hold_and_release),
        RUN(a_resumed_sleeper_is_woken_by_its_timer),
        RUN(one_that_is_alone_keeps_its_hart_from_nobody),
        RUN(a_newcomer_beside_capped_ones_is_owed_nothing),
        RUN(newcomers_on_another_hart_are_owed_nothing),
        RUN(a_newcomer_beside_one_that_is_held_is_owed_nothing),
        RUN(pauses_lose_no_wake_up),
        RUN(a_sleepers_new_deadline_is_known),
        RUN(time_adds_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: MIT
// The shadow page tables: a random guest against a judge.
#include "unit.h"

#include "rig/shadow_model.h"

static u64 seed;

static u64 by_dice(void *from, u64 n)
{
    return dice_below(from, n);
}

// A number of models, each of `steps` steps; what the judge says fails the test.
static void models_run(struct shadow_model_options o, unsigned n, unsigned steps)
{
    for (unsigned i = 0; i < n; i++) {
        seed     = 1000 + i;
        o.choose = by_dice;
        o.from   = &seed;
        bench_reset();
        chips.may_panic = true;
        if (setjmp(chips.panicked))
            fail_msg("seed %u: %s", 1000 + i, chips.panic_text);

        struct shadow_model *m = shadow_model_make(&o);

        for (unsigned s = 0; s < steps; s++)
            shadow_model_step(m);
        shadow_model_free(m);
    }
    chips.may_panic = false;
}

#define OPTIONS .asid_bits = 16, .n_spaces = 8

TEST(random_guest)
{
    models_run((struct shadow_model_options){ OPTIONS }, 12, 4000);
}

TEST(random_guest_tiny_pool)
{
    models_run((struct shadow_model_options){ OPTIONS, .rig.pool_pages = SHADOW_POOL_MIN }, 8,
               4000);
}

TEST(random_guest_without_asids)
{
    models_run((struct shadow_model_options){ .n_spaces = 8 }, 6, 4000);
}

TEST(random_guest_with_few_asids)
{
    models_run((struct shadow_model_options){ .asid_bits = 4, .n_spaces = 8 }, 6, 4000);
}

TEST(random_guest_many_spaces)
{
    models_run((struct shadow_model_options){ .asid_bits = 16, .n_spaces = 100 }, 3, 3000);
}

TEST(random_guest_great_memory)
{
    models_run((struct shadow_model_options){ OPTIONS, .rig.ram_size = 3 * GIB }, 6, 4000);
}

TEST(random_guest_memory_off_the_grid)
{
    models_run(
        (struct shadow_model_options){ OPTIONS, .rig.ram_size = 2 * GIB, .rig.ram_skew = 2 * MIB },
        4, 4000);
    models_run((struct shadow_model_options){ OPTIONS, .rig.ram_skew = 4 * KIB }, 4, 4000);
}

TEST(random_guest_without_pbmt_and_napot)
{
    models_run((struct shadow_model_options){ OPTIONS, .rig.no_pbmt_napot = true }, 4, 4000);
}

TEST(random_guest_on_a_speculating_hart)
{
    models_run((struct shadow_model_options){ OPTIONS, .speculating = true }, 6, 4000);
    models_run((struct shadow_model_options){ OPTIONS, .speculating = true, .rig.pool_pages = 20 },
               6, 4000);
    models_run((struct shadow_model_options){ .asid_bits = 4, .n_spaces = 8, .speculating = true },
               6, 4000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(random_guest),
        RUN(random_guest_tiny_pool),
        RUN(random_guest_without_asids),
        RUN(random_guest_with_few_asids),
        RUN(random_guest_many_spaces),
        RUN(random_guest_great_memory),
        RUN(random_guest_memory_off_the_grid),
        RUN(random_guest_without_pbmt_and_napot),
        RUN(random_guest_on_a_speculating_hart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

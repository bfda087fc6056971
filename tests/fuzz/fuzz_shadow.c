// SPDX-License-Identifier: MIT
// Fuzzes the page walk and the shadow tables: bytes -> operations of the random guest, under its
// judge.
#include "bytes.h"
#include "rig/shadow_model.h"

#define STEPS 800

static u64 seed;

// The bytes steer the beginning; then dice go on, so that a short input makes a long life.
static u64 bytes_then_dice(void *from, u64 n)
{
    struct bytes *b = from;

    return b->left ? bytes_below(b, n) : dice_below(&seed, n);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct bytes                b = { data, size };
    struct shadow_model_options o = { .choose = bytes_then_dice, .from = &b };

    bench_reset();
    seed                = 1 + bytes_take(&b, 2);
    o.asid_bits         = (unsigned)bytes_below(&b, 2) * 16;
    o.n_spaces          = 1 + (unsigned)bytes_below(&b, 6);
    o.speculating       = bytes_below(&b, 2);
    o.rig.pool_pages    = SHADOW_POOL_MIN + (u32)bytes_below(&b, 16) + 8;
    o.rig.ram_size      = bytes_below(&b, 2) ? 2 * GIB : 16 * MIB;
    o.rig.no_pbmt_napot = bytes_below(&b, 4) == 0;

    struct shadow_model *m = shadow_model_make(&o);

    for (unsigned n = 0; n < STEPS; n++)
        shadow_model_step(m);
    shadow_model_free(m);
    return 0;
}

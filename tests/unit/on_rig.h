// SPDX-License-Identifier: MIT
// A program whose tests each have a plain machine of their own: for RUN_ON_RIG.
#pragma once

#include "unit.h"

static struct rig *r;

static int setup(void **state)
{
    (void)state;
    bench_reset();
    r = rig_make(NULL);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    rig_free(r);
    return 0;
}

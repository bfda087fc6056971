// SPDX-License-Identifier: MIT
// A program whose tests each have a machine with a console and a monitor: for RUN_ON_RIG.
#pragma once

#include "rig/desk.h"
#include "unit.h"

static struct desk d;

static int setup(void **state)
{
    (void)state;
    desk_make(&d);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    desk_free(&d);
    return 0;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

// SPDX-License-Identifier: MIT
// What every unit test begins with: cmocka, the rig, and a few words for checks.
#pragma once

#include "rig/rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

// A test is TEST(name) { ... }; a program lists its own in main() with RUN(name).
#define TEST(name) static void name(void **state_of_test __attribute__((unused)))
#define RUN(name)  cmocka_unit_test(name)
// With functions setup() and teardown() of the file around it.
#define RUN_ON_RIG(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

// Equal, or the test fails and shows both, with a line that says which case it was.
#define EXPECT_EQ(a, b, ...)                                                                       \
    do {                                                                                           \
        u64 a_ = (u64)(a), b_ = (u64)(b);                                                          \
        if (a_ != b_) {                                                                            \
            print_error("%s is %#lx, not %#lx: ", #a, (unsigned long)a_, (unsigned long)b_);       \
            print_error(__VA_ARGS__);                                                              \
            print_error("\n");                                                                     \
            fail();                                                                                \
        }                                                                                          \
    } while (0)

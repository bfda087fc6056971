// SPDX-License-Identifier: MIT
// What tests of booting share: a machine on the desk, a good bundle, words for the user.
#pragma once

#include "dev/machine.h"
#include "lib/bits.h"
#include "mon/bundle.h"
#include "rig/trees.h"
#include "unit.h"

#define RAM    (256 * MIB)
#define BUNDLE (4 * MIB)

static u8 *ram;
static u8  tree[8192] __attribute__((aligned(8)));
static u8  kernel[50000], ramdisk[30001];

static inline void machine_make(const char *lacks)
{
    bench_reset();
    machine_forget();
    ram = ram_make(RAM);
    host_tree_make(tree, sizeof tree, lacks);
}

static inline const char *bundle_put(const struct bundle_spec *s)
{
    (void)bundle_make(ram + 16 * MIB, BUNDLE, s);
    return bundle_open((u64)(ram + 16 * MIB));
}

static inline struct bundle_spec good_spec(void)
{
    kernel_make(kernel, sizeof kernel, 2 * MIB, 3 * MIB);
    for (size_t i = 0; i < sizeof ramdisk; i++)
        ramdisk[i] = (u8)(i * 3);
    return (struct bundle_spec){ .memory       = 32 * MIB,
                                 .bootargs     = "console=ttyS0",
                                 .kernel       = kernel,
                                 .kernel_size  = sizeof kernel,
                                 .ramdisk      = ramdisk,
                                 .ramdisk_size = sizeof ramdisk };
}

// Words for people: what is wrong, and what helps.
static inline void expect_words(const char *why, const char *part)
{
    if (!why)
        fail_msg("nothing is wrong, but should be: %s", part);
    if (!strstr(why, part))
        fail_msg("\"%s\" does not speak of \"%s\"", why, part);
    assert_true(strstr(why, ";") || strstr(why, "VMs"));
}

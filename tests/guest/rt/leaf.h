// SPDX-License-Identifier: MIT
// One entry under test, at any level: the page it leads to, the accesses to try, and a hash of what
// each does and of what it makes of the entry.
#pragma once

#include "page.h"

enum { LEAF_S_LOAD = 1, LEAF_S_STORE = 2, LEAF_S_FETCH = 4, LEAF_U_LOAD = 8, LEAF_U_STORE = 16,
       LEAF_U_FETCH = 32, LEAF_ALL = 63 };

struct leaf {
    struct space *space;
    int           level;
    pte_t        *slot;
    u64           va;           // where the page under test appears if the entry is a good leaf
};

// A leaf at this level would cover the page under test; the entry stays invalid for now.
struct leaf leaf_make(struct space *space, int level);
// The entry with these flags (and the high bits 54 to 63): a pointer leads to a table of zeros, a
// leaf to the page under test.
pte_t       leaf_entry(const struct leaf *leaf, u64 flags);
u64         leaf_try(u64 h, const struct leaf *leaf, pte_t entry, int which);

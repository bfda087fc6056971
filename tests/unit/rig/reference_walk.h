// SPDX-License-Identifier: MIT
// The translation process once more, written straight from the steps of the privileged architecture
// (4.3.2) and of Svnapot and Svpbmt, with nothing of the monitor's own in it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct reference_rules {
    bool user, sum, mxr, svpbmt, svnapot;
    bool check_ad; // step 7 faults on A or D clear, as a walker does that sets neither (Svade)
};

enum reference_result { REFERENCE_OK, REFERENCE_PAGE_FAULT, REFERENCE_ACCESS_FAULT };

struct reference_leaf {
    uint64_t pa, pte, pte_at;
    int      level;
};

typedef bool reference_reader(const void *memory, uint64_t at, uint64_t *pte);

// kind: 'r', 'w' or 'x'; 0: whatever the leaf's rights are.
enum reference_result reference_walk(uint64_t satp, uint64_t va, char kind,
                                     const struct reference_rules *r, reference_reader *read,
                                     const void *memory, struct reference_leaf *leaf);

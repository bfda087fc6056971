// SPDX-License-Identifier: MIT
// Uses up what the monitor can remember of translations: 2^18 distinct pages, 10,000 address
// spaces, pages as far apart as the address space allows, all faces of each.  All pages are one
// page of this VM's: every load must find what the store before left.
// Shows: P10
#include "hostile.h"

#include <string.h>

#define PAGES  (1ul << 18)
#define SPACES 10000
#define VA     0x1000000000ul
#define POOL   (RAM + 16 * MIB)     // table pages, made once

static u64 cell_page[PAGE / 8] __attribute__((aligned(PAGE)));
static u64 bad;

static void touch(u64 va)
{
    u64 mark = va * 0x9e3779b97f4a7c15ul;

    poke64(va, mark);
    bad += peek64(va) != mark || cell_page[0] != mark;
}

// 2^18 pages behind each other: 512 tables.
static void dense(void)
{
    struct space s;
    pte_t       *table = (pte_t *)POOL;

    pages_reset();
    space_make(&s, 3);
    for (u64 i = 0; i < PAGES; i++)
        table[i] = pte_make((u64)cell_page, PTE_KERNEL);
    for (u64 i = 0; i < PAGES / 512; i++)
        *space_slot(&s, VA + i * level_size(1), 1) = pte_make((u64)(table + 512 * i), PTE_V);
    space_enter(&s, 1);
    for (u64 i = 0; i < PAGES; i++)
        touch(VA + i * PAGE);
    space_leave();
}

// One page in each of the largest pieces of the address space, as every face.
static void sparse(int levels)
{
    struct space s;
    pte_t       *last = (pte_t *)POOL, *table = last;

    pages_reset();
    space_make(&s, levels);
    for (int i = 0; i < 512; i++)
        last[i] = pte_make((u64)cell_page, PTE_KERNEL);
    for (int l = 1; l < levels - 1; l++) {
        pte_t *above = table + 512;

        for (int i = 0; i < 512; i++)
            above[i] = pte_make((u64)table, PTE_V);
        table = above;
    }
    for (int i = 3; i < 512; i++)
        s.root[i] = pte_make((u64)table, PTE_V);
    space_enter(&s, 2);
    for (u64 i = 3; i < 512; i++)
        for (u64 face = 0; face < 4; face++) {
            int top = 12 + 9 * (levels - 1), unused = 64 - top - 9;
            u64 va  = i << top | (face * 37 & 511) << 12 | (face * 11 & 511) << 21;

            csr_clear(CSR_SSTATUS, SSTATUS_SUM | SSTATUS_MXR);
            csr_set(CSR_SSTATUS, (face & 1 ? SSTATUS_SUM : 0) | (face & 2 ? SSTATUS_MXR : 0));
            touch((u64)((long)(va << unused) >> unused));
        }
    space_leave();
}

// Roots and ASIDs that never come twice.
static void spaces(void)
{
    struct space s;
    pte_t       *roots = (pte_t *)POOL;

    pages_reset();
    space_make(&s, 3);
    space_map(&s, VA, (u64)cell_page, PTE_KERNEL, 0);
    for (u64 i = 0; i < SPACES; i++) {
        pte_t *root = roots + 512 * (i % 2000);

        if (i < 2000)
            memcpy(root, s.root, PAGE);
        csr_write(CSR_SATP, SATP_SV39 | (i + 1) << 44 | (u64)root >> 12);
        touch(VA);
    }
    space_leave();
}

GUEST(many)
{
    for (u64 round = 1;; round++) {
        switch (arg("part", 0)) {
        case 0: dense(); break;
        case 1:
            for (int levels = 3; levels <= 5; levels++)
                sparse(levels);
            break;
        case 2: spaces(); break;
        }
        if (bad)
            say("BAD %lu words", bad);
        say("round %lu", round);
    }
}

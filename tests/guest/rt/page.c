// SPDX-License-Identifier: MIT
// Page tables for guests: the pool, the standard address space, one entry at a time.
#include "page.h"

#include <string.h>

#define POOL_PAGES 2048

static u8     pool[POOL_PAGES][PAGE] __attribute__((aligned(PAGE)));
static size_t pool_used;

void pages_reset(void)
{
    pool_used = 0;
}

void *page_take(void)
{
    if (pool_used == POOL_PAGES)
        guest_fail("no page left");
    return memset(pool[pool_used++], 0, PAGE);
}

pte_t *space_slot(struct space *s, u64 va, int level)
{
    pte_t *table = s->root;

    for (int l = s->levels - 1; l > level; l--) {
        pte_t *pte = &table[va >> (12 + 9 * l) & 511];

        if (!(*pte & PTE_V))
            *pte = pte_make((u64)page_take(), PTE_V);
        table = (pte_t *)(*pte >> 10 << 12);
    }
    return &table[va >> (12 + 9 * level) & 511];
}

void space_map(struct space *s, u64 va, u64 pa, u64 flags, int level)
{
    *space_slot(s, va, level) = pte_make(pa, flags);
}

void space_make(struct space *s, int levels)
{
    s->levels = levels;
    s->root = page_take();
    space_map(s, 0x80000000, 0x80000000, PTE_KERNEL, 2);
    for (u64 at = (u64)user_start; at < (u64)user_end; at += PAGE)
        space_map(s, user_alias(at), at, PTE_V | PTE_R | PTE_X | PTE_U | PTE_AD, 0);
}

u64 space_satp(const struct space *s, u64 asid)
{
    return (u64)(s->levels + 5) << 60 | asid << 44 | (u64)s->root >> 12;
}

void space_enter(const struct space *s, u64 asid)
{
    sfence_all();
    csr_write(CSR_SATP, space_satp(s, asid));
    sfence_all();
}

void space_leave(void)
{
    csr_write(CSR_SATP, 0);
    sfence_all();
}

bool levels_supported(int levels)
{
    struct space s;
    u64          wrote;
    bool         taken;

    pages_reset();
    space_make(&s, levels);
    wrote = space_satp(&s, 0);
    csr_write(CSR_SATP, wrote);
    taken = csr_read(CSR_SATP) == wrote;
    space_leave();
    pages_reset();
    return taken;
}

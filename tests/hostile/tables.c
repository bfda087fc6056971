// SPDX-License-Identifier: MIT
// Page tables onto everything: leaves and tables at devices, holes, beyond RAM, at the monitor's
// addresses in the machine, at the other VM's; tables that contain themselves, at every level, and
// are changed through their own mapping.  Nothing but this VM's RAM and its own devices may be read
// or written; what is read there is checked against a mark that only foreign memory lacks.
// Shows: P4 P5
#include "hostile.h"

#define VA    0x100000000ul
#define MINE  (48 * MIB + RAM)      // a page of this VM's that is marked
#define MARK  0x656e696d2073690aul

static u64 seed;

// Host addresses: the monitor, its bundle, the other VMs; and what the machine has besides.
static u64 target(void)
{
    static const u64 places[] = {
        0x80000000, 0x80010000, 0x80020000, 0x80040000, 0x80100000, 0x82200000, 0x84000000,
        0x84200000,
        0x88000000, 0x8c000000, 0x90000000, 0x9fe00000, 0x9ffff000, 0xa0000000, SYSCON, RTC, CLINT,
        CLINT + 0x4000, PLIC, PLIC + 0x200000, UART, VIRTIO, 0x10100000, 0x20000000, 0x30000000, 0,
        0x1000, 1ul << 32, 1ul << 38, 1ul << 55, (1ul << 56) - PAGE,
    };

    return any_below(4, &seed) ? any_of(places, &seed) : random_next(&seed) & ((1ul << 56) - PAGE);
}

static bool is_mine(u64 pa)
{
    return pa >= RAM && pa < ram_end();
}

// A leaf to somewhere, and then every kind of access.  Devices are mine and may answer; they are
// only read, and at an offset where that has no effect.
static u64 leaf_try(struct space *s, int level)
{
    u64 to = target() & ~(level_size(level) - 1), got = 0;
    u64 va = (VA << 2 * level) + level_size(level) * any_below(4, &seed);

    if (is_mine(to))
        to = MINE & ~(level_size(level) - 1);
    space_map(s, va, to, PTE_KERNEL, level);
    sfence_va(va);
    if (is_mine(to))
        return peek64(va + (MINE & (level_size(level) - 1))) != MARK;
    va += any_below(level_size(level) / 8, &seed) * 8;
    got += TRAPS(peek64(va)) == CAUSE_NONE && to > UART + PAGE;
    got += to > VIRTIO + 8 * PAGE && TRAPS(poke64(va, ~MARK)) == CAUSE_NONE;
    got += TRAPS(__asm__ volatile("jalr %0" :: "r"(va) : "ra", "memory")) == CAUSE_NONE;
    got += TRAPS(__asm__ volatile("amoor.d zero, zero, (%0)" :: "r"(va) : "memory")) == CAUSE_NONE;
    got += TRAPS(__asm__ volatile("lr.d zero, (%0)" :: "r"(va) : "memory")) == CAUSE_NONE;
    return got;
}

// A table that is not in this VM's RAM.
static u64 table_try(struct space *s, int level)
{
    u64 to = target(), va = VA + 4 * level_size(level), got;

    if (is_mine(to))
        return 0;
    *space_slot(s, va, level) = pte_make(to, PTE_V);
    sfence_all();
    got = TRAPS(peek64(va)) == CAUSE_NONE;
    *space_slot(s, va, level) = 0;
    return got;
}

// A table that contains itself at one level: walks end where the levels end.
static u64 endless_try(int levels, int level)
{
    struct space s;
    u64          va = 5ul << (12 + 9 * level);
    pte_t       *own;

    space_leave();
    pages_reset();
    own = page_take();
    space_make(&s, levels);
    *space_slot(&s, va, level) = pte_make((u64)own, PTE_V);
    for (int i = 0; i < 512; i++)
        own[i] = pte_make((u64)own, PTE_V);
    space_enter(&s, 1);
    return (TRAPS(peek64(va)) != CAUSE_LOAD_PAGE) + (TRAPS(poke64(va + 8, 1)) != CAUSE_STORE_PAGE) +
           (TRAPS(peek64(va + level_size(level) - 8)) != CAUSE_LOAD_PAGE);
}

// A table that maps itself as data: what is changed through it counts after the fence.
static u64 self_try(int levels)
{
    struct space s;
    u64          va = 5ul << 21, bad = 0;
    pte_t       *own;

    space_leave();
    pages_reset();
    own = page_take();
    space_make(&s, levels);
    *space_slot(&s, va, 1) = pte_make((u64)own, PTE_V);
    own[0] = pte_make((u64)own, PTE_KERNEL);
    own[1] = pte_make(MINE, PTE_KERNEL);
    space_enter(&s, 1);
    bad += peek64(va) != own[0];
    bad += peek64(va + PAGE) != MARK;
    poke64(va + 8, pte_make(0x90000000, PTE_KERNEL));   // entry 1, through entry 0
    sfence_va(va + PAGE);
    bad += TRAPS(peek64(va + PAGE)) != CAUSE_LOAD_ACCESS;
    poke64(va + 8, pte_make(MINE, PTE_KERNEL));
    sfence_va(va + PAGE);
    return bad + (TRAPS(peek64(va + PAGE)) != CAUSE_NONE) + (peek64(va + PAGE) != MARK);
}

static u64 attack(int levels)
{
    struct space s;
    u64          bad = 0;

    pages_reset();
    space_make(&s, levels);
    csr_write(CSR_SATP, space_satp(&s, levels));
    sfence_all();
    for (int i = 0; i < 400; i++)
        bad += leaf_try(&s, (int)any_below(levels > 3 ? 4 : 3, &seed) % 3);
    for (int i = 0; i < 200; i++)
        bad += table_try(&s, 1 + (int)any_below((u64)levels - 2, &seed));
    for (int level = 1; level < levels; level++)
        bad += endless_try(levels, level);
    bad += self_try(levels);
    space_leave();
    return bad;
}

GUEST(tables)
{
    seed = arg("seed", 1);
    *(volatile u64 *)MINE = MARK;
    for (u64 round = 1;; round++)
        for (int levels = 3; levels <= 5; levels++) {
            u64 bad = attack(levels);

            if (bad)
                say("BAD round %lu levels %d: %lu", round, levels, bad);
            say("round %lu", round);
        }
}

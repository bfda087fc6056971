// SPDX-License-Identifier: MIT
// The walk of page tables against a reference that was written from the specification alone.
#include "unit.h"

#include "isa/walk.h"
#include "rig/reference_walk.h"

#define PAGES  12
#define BASE   0x80000000ul
#define LEVELS 5

static u64 memory[PAGES][512];

static bool memory_read(const void *m, u64 at, u64 *pte)
{
    u64 off = at - BASE;

    if (at < BASE || off >= sizeof memory)
        return false;
    *pte = ((const u64 *)m)[off / 8];
    return true;
}

static u64 pointer_to(unsigned page)
{
    return (BASE + page * PAGE_SIZE) >> 12 << 10 | PTE_V;
}

static void compare(u64 satp, u64 va, enum access_kind kind, const struct walk_rules *w)
{
    struct reference_rules r    = { w->user, w->sum, w->mxr, w->svpbmt, w->svnapot, false };
    struct reference_leaf  want = { 0 };
    struct leaf            got  = { 0 };
    int expected = (int)reference_walk(satp, va, "rwx"[kind], &r, memory_read, memory, &want);
    int result   = (int)walk(satp, gva(va), kind, w, memory_read, memory, &got);

    EXPECT_EQ(result, expected, "satp %lx va %lx kind %d user %d sum %d mxr %d pte %lx", satp, va,
              kind, w->user, w->sum, w->mxr, want.pte);
    if (result != WALK_OK)
        return;
    EXPECT_EQ(got.pa, want.pa, "va %lx pte %lx", va, want.pte);
    EXPECT_EQ(got.pte, want.pte, "va %lx", va);
    EXPECT_EQ(got.pte_at, want.pte_at, "va %lx", va);
    EXPECT_EQ(got.level, want.level, "va %lx", va);
}

static void compare_all(u64 satp, u64 va)
{
    for (unsigned bits = 0; bits < 32; bits++) {
        struct walk_rules w = { bits & 1, bits & 2, bits & 4, bits & 8, bits & 16 };

        for (int kind = ACCESS_READ; kind <= ACCESS_FETCH; kind++)
            compare(satp, va, (enum access_kind)kind, &w);
    }
}

// A chain of tables, one per level, each entry 5 leading to the next.
static u64 chain_make(u64 mode)
{
    unsigned levels = walk_levels(field_set(0, SATP_MODE, mode));

    memset(memory, 0, sizeof memory);
    for (unsigned n = 0; n + 1 < levels; n++)
        memory[n][5] = pointer_to(n + 1);
    return field_set(BASE >> 12, SATP_MODE, mode);
}

static u64 chain_va(unsigned levels)
{
    u64 va = 0x123;

    for (unsigned n = 0; n < levels; n++)
        va |= 5ul << (12 + 9 * n);
    return va;
}

// Every value of the low flags, with each high bit, at each level of each mode, under all rules.
TEST(all_flags_at_all_levels)
{
    for (u64 mode = SATP_SV39; mode <= SATP_SV57; mode++) {
        u64      satp   = chain_make(mode);
        unsigned levels = walk_levels(satp);

        for (unsigned n = 0; n < levels; n++) {
            u64 *pte = &memory[n][5], old = *pte;

            for (u64 flags = 0; flags < 256; flags++)
                for (unsigned high = 53; high < 64; high++) { // 53: none
                    *pte =
                        ((BASE + 8 * PAGE_SIZE) >> 12 << 10) | flags | (high > 53 ? BIT(high) : 0);
                    compare_all(satp, chain_va(levels));
                }
            *pte = old;
        }
    }
}

TEST(software_bits_are_ignored)
{
    u64 satp = chain_make(SATP_SV39);

    for (u64 rsw = 0; rsw < 4; rsw++) {
        memory[2][5] = pointer_to(3) | PTE_R | PTE_W | PTE_A | PTE_D | rsw << 8;
        memory[1][5] = pointer_to(2) | rsw << 8;
        compare_all(satp, chain_va(3));
    }
}

// Superpages whose low PPN bits are not 0, one bit at a time; and 64 KiB pages with every low
// nibble.
TEST(misaligned_superpages_and_napot)
{
    for (u64 mode = SATP_SV39; mode <= SATP_SV57; mode++) {
        u64      satp   = chain_make(mode);
        unsigned levels = walk_levels(satp);

        for (unsigned n = 0; n < levels; n++) {
            u64 old = memory[n][5];

            for (unsigned bit = 10; bit < 54; bit++) {
                memory[n][5] = BIT(bit) | PTE_V | PTE_R | PTE_X | PTE_U;
                compare_all(satp, chain_va(levels));
            }
            for (u64 low = 0; low < 32; low++) {
                memory[n][5] = PTE_N | low << 10 | BIT(30) | PTE_V | PTE_R | PTE_W;
                for (u64 page = 0; page < 16; page++)
                    compare_all(satp, chain_va(levels) ^ page << 12);
            }
            memory[n][5] = old;
        }
    }
}

TEST(addresses_must_be_canonical)
{
    for (u64 mode = SATP_SV39; mode <= SATP_SV57; mode++) {
        u64      satp   = chain_make(mode);
        unsigned levels = walk_levels(satp), top = 12 + 9 * levels - 1;

        for (unsigned i = 0; i < 512; i++)
            memory[0][i] = PTE_V | PTE_R | PTE_W | PTE_X | PTE_U;
        for (unsigned bit = 0; bit < 64; bit++) {
            compare_all(satp, BIT(bit));
            compare_all(satp, ~BIT(bit));
            compare_all(satp, BIT(bit) - 1);
        }
        compare_all(satp, BIT(top) - 1);
        compare_all(satp, BIT(top));
        compare_all(satp, ~0ul << top);
        compare_all(satp, (~0ul << top) - 1);
    }
}

TEST(tables_outside_memory_are_access_faults)
{
    static const u64 ppns[] = {
        0, 1, (BASE >> 12) - 1, (BASE >> 12) + PAGES, BITS(43, 0), BIT(43)
    };

    for (size_t i = 0; i < ARRAY_LEN(ppns); i++) {
        u64 satp = chain_make(SATP_SV48);

        compare_all(field_set(ppns[i], SATP_MODE, SATP_SV48), chain_va(4));
        memory[1][5] = ppns[i] << 10 | PTE_V;
        compare_all(satp, chain_va(4));
    }
}

static u64 random_pte(u64 *seed)
{
    u64 page = BASE / PAGE_SIZE + dice_below(seed, PAGES + 1), flags = dice(seed) & 0xff;

    switch (dice_below(seed, 8)) {
    case 0: return dice(seed);
    case 1:
        return page << 10 | (flags & ~(PTE_R | PTE_W | PTE_X | PTE_U | PTE_A | PTE_D)) | PTE_V |
               PTE_N;
    case 2:
    case 3:
    case 4:  return page << 10 | PTE_V | (flags & PTE_G);
    case 5:  return (page & ~0x1fful) << 10 | flags | PTE_V;
    case 6:  return (page & ~15ul) << 10 | BIT(13) | flags | PTE_V | PTE_N;
    default: return page << 10 | flags | PTE_V | field_set(0, PTE_PBMT, dice(seed));
    }
}

TEST(random_tables)
{
    u64 seed = 7;

    for (int table = 0; table < 300; table++) {
        u64 mode = SATP_SV39 + dice_below(&seed, 3), satp;

        satp = field_set(BASE / PAGE_SIZE + dice_below(&seed, PAGES), SATP_MODE, mode);
        for (unsigned p = 0; p < PAGES; p++)
            for (unsigned i = 0; i < 8; i++) // addresses below use indices 0 to 3 and 508 to 511
                memory[p][i < 4 ? i : 504 + i] = random_pte(&seed);
        for (int n = 0; n < 100; n++) {
            u64 bits = dice(&seed), va = dice(&seed) & 0xfff;

            for (unsigned l = 0; l < LEVELS; l++)
                va |= ((bits >> (8 * l) & 4 ? 508 : 0) + (bits >> (8 * l) & 3)) << (12 + 9 * l);
            va = (u64)sign_extend(va, 12 + 9 * walk_levels(satp));
            if (!(bits >> 56))
                va ^= BIT(dice_below(&seed, 64));
            compare_all(satp, va);
        }
    }
}

TEST(levels_of_modes)
{
    for (u64 mode = 0; mode < 16; mode++)
        EXPECT_EQ(walk_levels(field_set(~0ul, SATP_MODE, mode)),
                  mode >= 8 && mode <= 10 ? mode - 5 : 0, "mode");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(all_flags_at_all_levels),
        RUN(software_bits_are_ignored),
        RUN(misaligned_superpages_and_napot),
        RUN(addresses_must_be_canonical),
        RUN(tables_outside_memory_are_access_faults),
        RUN(random_tables),
        RUN(levels_of_modes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

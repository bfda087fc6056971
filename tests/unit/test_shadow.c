// SPDX-License-Identifier: MIT
// The shadow page tables, corner by corner, on a hart that forgets nothing until it is told to, and
// prefers what it remembers; and that, if `ahead`, walks on its own right behind each fence.
#include "unit.h"

#include "rig/reference_walk.h"

#define TLB 4096

static struct rig *r;
static bool        ahead, blind; // it walks on its own; it does not look at what it remembers
static u64         watched[8];   // what it walks then
static unsigned    n_watched;
static struct {
    u64 asid, va, size, pte;
} tlb[TLB];
static unsigned n_tlb;

static bool pool_read(const void *from, u64 at, u64 *pte)
{
    const struct shadow *s = &((const struct rig *)from)->v->shadow;

    if (!range_contains(s->pool.a, s->n_pages * PAGE_SIZE, at, 8))
        return false;
    memcpy(pte, (void *)at, sizeof *pte);
    return true;
}

static bool hart_walk(u64 va, char kind, struct reference_leaf *leaf)
{
    struct reference_rules rules = { .user = true, .svpbmt = true, .check_ad = true };

    return fake_hart.satp &&
           reference_walk(fake_hart.satp, va, kind, &rules, pool_read, r, leaf) == REFERENCE_OK;
}

static void hart_remember(u64 va)
{
    struct reference_leaf leaf;
    bool                  is = hart_walk(va, 0, &leaf) || hart_walk(va, 'r', &leaf);

    if (!is || n_tlb == TLB)
        return;
    tlb[n_tlb].asid = field_get(fake_hart.satp, SATP_ASID);
    tlb[n_tlb].size = level_size((unsigned)leaf.level);
    tlb[n_tlb].va   = align_down(va, tlb[n_tlb].size);
    tlb[n_tlb].pte  = leaf.pte;
    n_tlb++;
}

static void hart_fenced(bool has_va, gva_t va)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < n_tlb; i++)
        if (has_va && va.a - tlb[i].va >= tlb[i].size)
            tlb[kept++] = tlb[i];
    n_tlb = kept;
    for (unsigned i = 0; ahead && i < n_watched; i++)
        hart_remember(watched[i]);
}

static bool hart_access(u64 va, char kind, u64 *to)
{
    struct reference_leaf leaf;
    u64                   right = kind == 'r' ? PTE_R : kind == 'w' ? PTE_W : PTE_X;

    for (unsigned i = 0; i < n_tlb && !blind; i++)
        if (tlb[i].asid == field_get(fake_hart.satp, SATP_ASID) && va - tlb[i].va < tlb[i].size) {
            *to = (field_get(tlb[i].pte, PTE_PPN) << PAGE_SHIFT) | (va & (tlb[i].size - 1));
            return tlb[i].pte & right;
        }
    if (!hart_walk(va, kind, &leaf))
        return false;
    hart_remember(va);
    *to = leaf.pa;
    return true;
}

static void settle(void)
{
    if (r->v->pending & PEND_FOLLOW)
        shadow_follow(r->v);
    r->v->pending = 0;
}

// Where the guest's access goes, as a guest-physical address; 0: it faults.
static u64 reach(u64 va, char kind)
{
    u64   to;
    gpa_t at;

    settle();
    for (int turn = 0; turn < 6; turn++) {
        if (hart_access(va, kind, &to))
            return to - r->vm.ram.a + VM_RAM_BASE;
        if (shadow_fill(r->v, gva(va),
                        kind == 'r'   ? ACCESS_READ
                        : kind == 'w' ? ACCESS_WRITE
                                      : ACCESS_FETCH,
                        &at) != SHADOW_FILLED)
            return 0;
        settle();
    }
    fail_msg("'%c' at %lx faults again and again", kind, va);
    return 0;
}

static void corner_begin(struct rig_options o, bool walks_ahead)
{
    bench_reset();
    n_tlb = n_watched  = 0;
    ahead              = walks_ahead;
    r                  = rig_make(&o);
    fake_hart.on_fence = hart_fenced;
}

static void corner_end(void)
{
    fake_hart.on_fence = NULL;
    rig_free(r);
}

static void watch(u64 va)
{
    watched[n_watched++ % ARRAY_LEN(watched)] = va;
}

// Guest tables at fixed places: a root, two levels below it; leaf by leaf.
#define ROOT  (VM_RAM_BASE + 0x1000)
#define L1    (VM_RAM_BASE + 0x2000)
#define L0    (VM_RAM_BASE + 0x3000)
#define DATA  (VM_RAM_BASE + 0x400000)
#define RWXAD (PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D)

static u64 pte(u64 to, u64 flags)
{
    return to >> 12 << 10 | flags;
}

static void tables_make(void)
{
    rig_word_set(r, ROOT, pte(L1, PTE_V));
    rig_word_set(r, L1, pte(L0, PTE_V));
    r->v->csr.satp = field_set(ROOT >> 12, SATP_MODE, SATP_SV39);
    pend(r->v, PEND_FOLLOW);
}

// With `ahead` off and on.
#define BOTH(body)                                                                                 \
    for (int walks_ahead = 0; walks_ahead < 2; walks_ahead++)                                      \
    body(walks_ahead)

static void full_fences(bool walks_ahead)
{
    corner_begin((struct rig_options){ 0 }, walks_ahead);
    tables_make();
    watch(0x5000);
    for (u64 n = 0; n < 300; n++) {
        rig_word_set(r, L0 + 8 * 5, pte(DATA + n * PAGE_SIZE, RWXAD));
        shadow_fence(r->v, false, gva(0), n & 1, 0);
        EXPECT_EQ(reach(0x5000, 'r'), DATA + n * PAGE_SIZE, "after full fence %lu", n);
    }
    corner_end();
}

TEST(a_full_fence_is_never_outlived)
{
    BOTH(full_fences);
}

static void page_fences(bool walks_ahead)
{
    corner_begin((struct rig_options){ 0 }, walks_ahead);
    tables_make();
    watch(0x5000);
    for (u64 n = 0; n < 300; n++) {
        rig_word_set(r, L0 + 8 * 5, n % 3 == 2 ? 0 : pte(DATA + n * PAGE_SIZE, RWXAD));
        shadow_fence(r->v, true, gva(0x5ff8), n & 1, 0);
        EXPECT_EQ(reach(0x5000, 'w'), n % 3 == 2 ? 0 : DATA + n * PAGE_SIZE, "after fence %lu", n);
    }
    corner_end();
}

TEST(a_page_fence_is_never_outlived)
{
    BOTH(page_fences);
}

// More address spaces than are remembered; each has the address elsewhere.
static void many_spaces(bool walks_ahead)
{
    corner_begin((struct rig_options){ .pool_pages = 2048 }, walks_ahead);
    watch(0);
    for (u64 n = 0; n < 500; n++) {
        u64 root = VM_RAM_BASE + 0x100000 + n % 100 * PAGE_SIZE;

        rig_word_set(r, root, pte(GIB * 2, RWXAD)); // all of RAM, from its base
        rig_word_set(r, root + 8, pte(L1, PTE_V));
        rig_word_set(r, L1, pte(root + 0x100000, PTE_V)); // its own last table
        rig_word_set(r, root + 0x100000, pte(DATA + n % 100 * PAGE_SIZE, RWXAD));
        r->v->csr.satp = field_set(field_set(root >> 12, SATP_ASID, n % 100), SATP_MODE, SATP_SV39);
        pend(r->v, PEND_FOLLOW);
        EXPECT_EQ(reach(n % 100 * PAGE_SIZE, 'r'), VM_RAM_BASE + n % 100 * PAGE_SIZE, "space %lu",
                  n);
        EXPECT_EQ(reach(0, 'r'), VM_RAM_BASE, "space %lu", n);
        if (n < 100)
            EXPECT_EQ(reach(GIB, 'r'), DATA + n % 100 * PAGE_SIZE, "space %lu", n);
    }
    corner_end();
}

TEST(spaces_beyond_what_is_remembered)
{
    BOTH(many_spaces);
}

// Small pages become a large one, each fenced by its address, as a kernel does with transparent
// huge pages.
static void merge(bool walks_ahead)
{
    corner_begin((struct rig_options){ 0 }, walks_ahead);
    tables_make();
    for (u64 n = 0; n < 512; n++)
        rig_word_set(r, L0 + 8 * n, pte(DATA + n * PAGE_SIZE, RWXAD));
    watch(0x5000), watch(0x6000);
    for (u64 n = 0; n < 8; n++)
        EXPECT_EQ(reach(n * PAGE_SIZE, 'r'), DATA + n * PAGE_SIZE, "small");
    rig_word_set(r, L1, pte(DATA + 2 * MIB, RWXAD));
    shadow_fence(r->v, true, gva(0x1000), false, 0);
    EXPECT_EQ(reach(0x1000, 'r'), DATA + 2 * MIB + 0x1000, "merged");
    shadow_fence(r->v, true, gva(0x5000), false, 0);
    shadow_fence(r->v, true, gva(0x6000), false, 0);
    EXPECT_EQ(reach(0x6000, 'r'), DATA + 2 * MIB + 0x6000, "merged");
    EXPECT_EQ(reach(0x5000, 'r'), DATA + 2 * MIB + 0x5000, "merged");
    corner_end();
}

TEST(small_pages_merge)
{
    BOTH(merge);
}

// A large page is split; some pieces may be written.
static void split(bool walks_ahead)
{
    corner_begin((struct rig_options){ 0 }, walks_ahead);
    tables_make();
    rig_word_set(r, L1, pte(DATA, PTE_V | PTE_R | PTE_A));
    watch(0x5000), watch(0x6000);
    EXPECT_EQ(reach(0x5000, 'r'), DATA + 0x5000, "large");
    EXPECT_EQ(reach(0x5000, 'w'), 0, "read-only");
    for (u64 n = 0; n < 512; n++)
        rig_word_set(r, L0 + 8 * n, pte(DATA + 2 * MIB + n * PAGE_SIZE, RWXAD));
    rig_word_set(r, L1, pte(L0, PTE_V));
    blind = true;
    EXPECT_EQ(reach(0x5000, 'w'), DATA + 2 * MIB + 0x5000, "a piece can be written");
    blind = false;
    shadow_fence(r->v, true, gva(0x6000), false, 0);
    EXPECT_EQ(reach(0x6000, 'r'), DATA + 2 * MIB + 0x6000, "split");
    EXPECT_EQ(reach(0x5000, 'r'), DATA + 2 * MIB + 0x5000, "split");
    corner_end();
}

TEST(large_pages_split)
{
    BOTH(split);
}

// One fence of any address of the guest's 1 GiB page must reach all our 2 MiB and 4 KiB pieces of
// it.
static void great_page(bool walks_ahead, struct rig_options o)
{
    corner_begin(o, walks_ahead);
    tables_make();
    rig_word_set(r, ROOT + 8, pte(VM_RAM_BASE, RWXAD));
    watch(GIB), watch(GIB + 3 * MIB);
    EXPECT_EQ(reach(GIB + 0x1000, 'w'), VM_RAM_BASE + 0x1000, "a piece");
    EXPECT_EQ(reach(GIB + 3 * MIB, 'w'), VM_RAM_BASE + 3 * MIB, "another");
    EXPECT_EQ(reach(GIB + 15 * MIB, 'r'), VM_RAM_BASE + 15 * MIB, "the last");
    EXPECT_EQ(reach(2 * GIB - 8, 'r'), 0, "behind RAM");
    rig_word_set(r, ROOT + 8, pte(VM_RAM_BASE, PTE_V | PTE_R | PTE_A));
    shadow_fence(r->v, true, gva(GIB + 7 * MIB), false, 0);
    EXPECT_EQ(reach(GIB + 0x1000, 'w'), 0, "read-only now");
    EXPECT_EQ(reach(GIB + 3 * MIB, 'w'), 0, "read-only now");
    EXPECT_EQ(reach(GIB + 15 * MIB, 'x'), 0, "no code now");
    EXPECT_EQ(reach(GIB + 0x1000, 'r'), VM_RAM_BASE + 0x1000, "a piece");
    rig_word_set(r, ROOT + 8, 0);
    shadow_fence(r->v, true, gva(2 * GIB - 1), true, 0);
    EXPECT_EQ(reach(GIB + 0x1000, 'r'), 0, "gone");
    EXPECT_EQ(reach(GIB + 3 * MIB, 'r'), 0, "gone");
    corner_end();
}

TEST(pieces_of_a_great_page)
{
    for (int walks_ahead = 0; walks_ahead < 2; walks_ahead++) {
        great_page(walks_ahead, (struct rig_options){ 0 });
        great_page(walks_ahead, (struct rig_options){ .ram_skew = 2 * MIB });
        great_page(walks_ahead, (struct rig_options){ .ram_skew = PAGE_SIZE });
    }
}

// The shadow's own promise, wider than the specification: one fence, all 16 pieces.
TEST(pieces_of_a_napot_page)
{
    corner_begin((struct rig_options){ 0 }, false);
    tables_make();
    for (u64 n = 16; n < 32; n++)
        rig_word_set(r, L0 + 8 * n, pte(DATA + 0x8000, RWXAD | PTE_N));
    for (u64 n = 16; n < 32; n++)
        EXPECT_EQ(reach(n * PAGE_SIZE, 'w'), DATA + (n - 16) * PAGE_SIZE, "piece %lu", n);
    for (u64 n = 16; n < 32; n++)
        rig_word_set(r, L0 + 8 * n, 0);
    shadow_fence(r->v, true, gva(0x13000), false, 0);
    for (u64 n = 16; n < 32; n++)
        EXPECT_EQ(reach(n * PAGE_SIZE, 'r'), 0, "piece %lu", n);
    corner_end();
}

// 4.2.1: where ASIDLEN is less than 16, the bits of rs2 above it are ignored.
TEST(asid_bits_beyond_are_ignored)
{
    static const struct {
        unsigned bits;
        u64      of, fenced;
    } cases[] = { { 0, 0, 5 }, { 8, 1, 0x101 }, { 8, 0xff, 0xffff }, { 16, 0xffff, 0xfffff } };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        corner_begin((struct rig_options){ 0 }, false);
        hart_caps.asid_bits = cases[i].bits;
        tables_make();
        r->v->csr.satp = field_set(r->v->csr.satp, SATP_ASID, cases[i].of);
        rig_word_set(r, L0, pte(DATA, RWXAD));
        EXPECT_EQ(reach(0, 'r'), DATA, "before");
        rig_word_set(r, L0, 0);
        shadow_fence(r->v, false, gva(0), true, cases[i].fenced);
        EXPECT_EQ(reach(0, 'r'), 0, "%u ASID bits, fence of %lx", cases[i].bits, cases[i].fenced);
        corner_end();
    }
}

// A fence of one ASID leaves the others' translations alone: that is what it is for.
TEST(a_fence_of_one_asid_keeps_the_others)
{
    corner_begin((struct rig_options){ 0 }, false);
    tables_make();
    rig_word_set(r, L0, pte(DATA, RWXAD));
    EXPECT_EQ(reach(0, 'r'), DATA, "ASID 0");

    u64 fills = r->v->stats.fills, satp = r->v->csr.satp;

    shadow_fence(r->v, false, gva(0), true, 7);
    shadow_fence(r->v, true, gva(0), true, 7);
    shadow_fence(r->v, true, gva(0x1000), false, 0);
    EXPECT_EQ(reach(0, 'r'), DATA, "ASID 0");
    EXPECT_EQ(r->v->stats.fills, fills, "it had to be filled again");
    r->v->csr.satp = field_set(satp, SATP_ASID, 7);
    pend(r->v, PEND_FOLLOW);
    EXPECT_EQ(reach(0, 'r'), DATA, "ASID 7");
    fills          = r->v->stats.fills;
    r->v->csr.satp = satp;
    pend(r->v, PEND_FOLLOW);
    EXPECT_EQ(reach(0, 'r'), DATA, "back in ASID 0");
    EXPECT_EQ(r->v->stats.fills, fills, "a switch back must find what it had");
    corner_end();
}

// An instruction across two pages with an operand across two more, each pair astride the middle of
// the address space: the smallest pool that can be configured must hold all four at once.
TEST(one_instruction_fits_the_smallest_pool)
{
    static const u64 va[] = { BIT(47) - PAGE_SIZE, BIT(47), BIT(55) - PAGE_SIZE, BIT(48) };
    u64              next = VM_RAM_BASE + 0x10000, root = next;

    corner_begin((struct rig_options){ .pool_pages = SHADOW_POOL_MIN }, false);
    for (size_t i = 0; i < ARRAY_LEN(va); i++) {
        u64 table = root;

        for (unsigned l = 4; l > 0; l--) {
            u64 at = table + 8 * level_index(gva(va[i]), l);

            if (!rig_word(r, at))
                rig_word_set(r, at, pte(next += PAGE_SIZE, PTE_V));
            table = field_get(rig_word(r, at), PTE_PPN) << PAGE_SHIFT;
        }
        rig_word_set(r, table + 8 * level_index(gva(va[i]), 0), pte(DATA + i * PAGE_SIZE, RWXAD));
    }
    r->v->csr.satp = field_set(root >> 12, SATP_MODE, SATP_SV57);
    pend(r->v, PEND_FOLLOW);
    for (int turn = 0; turn < 3; turn++)
        for (size_t i = 0; i < ARRAY_LEN(va); i++)
            EXPECT_EQ(reach(va[i], 'r'), DATA + i * PAGE_SIZE, "page %zu", i);
    for (size_t i = 0; i < ARRAY_LEN(va); i++) {
        struct reference_leaf leaf;

        assert_true(hart_walk(va[i], 'r', &leaf));
    }
    corner_end();
}

TEST(bare_maps_all_of_ram_and_nothing_else)
{
    static const u64 outside[] = { 0,    VM_RAM_BASE - 8, VM_RAM_BASE + 16 * MIB, BIT(38), BIT(39),
                                   ~7ul, 0x10000000 };

    corner_begin((struct rig_options){ 0 }, false);
    for (int mode = 0; mode < 2; mode++) {
        r->v->mode = mode ? MODE_S : MODE_U;
        pend(r->v, PEND_FOLLOW);
        EXPECT_EQ(reach(VM_RAM_BASE, 'x'), VM_RAM_BASE, "first byte");
        EXPECT_EQ(reach(VM_RAM_BASE + 16 * MIB - 8, 'w'), VM_RAM_BASE + 16 * MIB - 8, "last word");
        for (size_t i = 0; i < ARRAY_LEN(outside); i++) {
            gpa_t at = gpa(1);

            EXPECT_EQ(shadow_fill(r->v, gva(outside[i]), ACCESS_READ, &at), SHADOW_NOT_RAM, "%lx",
                      outside[i]);
            EXPECT_EQ(at.a, outside[i], "the address is as it is");
        }
    }
    corner_end();
}

TEST(a_and_d_are_set_as_hardware_does)
{
    u64 fills;

    corner_begin((struct rig_options){ 0 }, false);
    tables_make();
    rig_word_set(r, L0, pte(DATA, PTE_V | PTE_R | PTE_W));
    EXPECT_EQ(reach(0, 'r'), DATA, "read");
    EXPECT_EQ(rig_word(r, L0), pte(DATA, PTE_V | PTE_R | PTE_W | PTE_A), "A alone");
    EXPECT_EQ(reach(0, 'w'), DATA, "write");
    EXPECT_EQ(rig_word(r, L0), pte(DATA, PTE_V | PTE_R | PTE_W | PTE_A | PTE_D), "A and D");
    rig_word_set(r, L0 + 16, pte(DATA, PTE_V | PTE_R | PTE_W));
    fills = r->v->stats.fills;
    EXPECT_EQ(reach(0x2000, 'w'), DATA, "a write first");
    EXPECT_EQ(r->v->stats.fills - fills, 1, "one fault");
    rig_word_set(r, L0 + 8, pte(DATA, PTE_V | PTE_R));
    EXPECT_EQ(reach(0x1000, 'w'), 0, "not allowed");
    EXPECT_EQ(rig_word(r, L0 + 8), pte(DATA, PTE_V | PTE_R), "a refused access sets neither");
    corner_end();
}

// Behind the caches stands what RAM held before it was cleared: the guest's RAM stays cached.
TEST(memory_types_are_checked_and_change_nothing)
{
    corner_begin((struct rig_options){ 0 }, false);
    tables_make();
    for (u64 type = 0; type < 4; type++) {
        struct reference_leaf leaf;

        rig_word_set(r, L0 + 8 * type, field_set(pte(DATA, RWXAD), PTE_PBMT, type));
        EXPECT_EQ(reach(0x1000 * type, 'r'), type == 3 ? 0 : DATA, "type %lu", type);
        if (type == 3)
            break;
        assert_true(hart_walk(0x1000 * type, 'r', &leaf));
        EXPECT_EQ(leaf.pte & PTE_PBMT, 0, "type %lu", type);
    }
    corner_end();
}

// What the hart holds is a function of the vCPU it runs; another's flush must not take it away.
TEST(a_flush_of_another_vcpu_leaves_the_hart_alone)
{
    corner_begin((struct rig_options){ .n_vcpus = 2 }, false);

    u64 satp;

    fake_hart.on_run = NULL;
    tables_make();
    settle();
    satp = fake_hart.satp;
    vcpu_reset(r->list[1]);
    settle();
    EXPECT_EQ(fake_hart.satp, satp, "the hart's satp");
    corner_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_full_fence_is_never_outlived),
        RUN(a_page_fence_is_never_outlived),
        RUN(spaces_beyond_what_is_remembered),
        RUN(small_pages_merge),
        RUN(large_pages_split),
        RUN(pieces_of_a_great_page),
        RUN(pieces_of_a_napot_page),
        RUN(asid_bits_beyond_are_ignored),
        RUN(a_fence_of_one_asid_keeps_the_others),
        RUN(one_instruction_fits_the_smallest_pool),
        RUN(bare_maps_all_of_ram_and_nothing_else),
        RUN(a_and_d_are_set_as_hardware_does),
        RUN(memory_types_are_checked_and_change_nothing),
        RUN(a_flush_of_another_vcpu_leaves_the_hart_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

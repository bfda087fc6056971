// SPDX-License-Identifier: MIT
// The machine's device tree and the bundle: what is read, what is refused and with which words.
#include "boot.h"

#include <libfdt.h>

TEST(a_good_machine)
{
    machine_make(NULL);
    assert_null(machine_read(tree));
    EXPECT_EQ(machine.n_harts, 2, "harts");
    EXPECT_EQ(machine.timebase_hz, 10000000, "timebase");
    EXPECT_EQ(machine.cbom_block, 64, "cbom");
    EXPECT_EQ(machine.n_ram, 1, "ranges of RAM");
    EXPECT_EQ(ram_total_bytes(), RAM, "RAM");
    assert_string_equal(machine.model, "a desk");
    assert_true(machine.isa.has & EXT_SVPBMT && machine.isa.has & EXT_SSTC);
    ram_free();
}

TEST(machines_that_lack_something)
{
    machine_make("timebase");
    expect_words(machine_read(tree), "timebase");
    ram_free();
    machine_make("isa");
    expect_words(machine_read(tree), "riscv,isa");
    ram_free();
    machine_make("memory");
    expect_words(machine_read(tree), "memory");
    ram_free();
    machine_make(NULL);
    expect_words(machine_read(NULL), "no device tree");
    memmove(tree + 4, tree, sizeof tree - 4); // whole, but misaligned
    expect_words(machine_read(tree + 4), "no device tree");
    memset(tree, 0, 64);
    expect_words(machine_read(tree), "no device tree");
    ram_free();
}

// More ranges than there is room for are left out.
TEST(ram_in_many_pieces)
{
    fdt64_t reg[RAM_RANGES_MAX + 3][2];
    int     node;

    machine_make(NULL);
    for (u64 i = 0; i < RAM_RANGES_MAX + 3; i++) {
        reg[i][0] = cpu_to_fdt64((u64)ram + 2 * i * MIB);
        reg[i][1] = cpu_to_fdt64(MIB);
    }
    assert_false(fdt_open_into(tree, tree, sizeof tree));
    node = fdt_node_offset_by_prop_value(tree, -1, "device_type", "memory", 7);
    assert_false(fdt_setprop(tree, node, "reg", reg, sizeof reg));
    assert_null(machine_read(tree));
    EXPECT_EQ(machine.n_ram, RAM_RANGES_MAX, "ranges");
    EXPECT_EQ(ram_total_bytes(), RAM_RANGES_MAX * MIB, "RAM");
    ram_free();
}

// A node is a hart if it says so and is not switched off.
TEST(harts_that_are_off_and_nodes_that_are_none)
{
    machine_make(NULL);
    assert_false(fdt_open_into(tree, tree, sizeof tree));
    assert_false(fdt_setprop_string(tree, fdt_path_offset(tree, "/cpus/cpu@1"), "status", "fail"));
    assert_true(fdt_add_subnode(tree, fdt_path_offset(tree, "/cpus"), "cache@0") > 0);
    assert_false(fdt_setprop_string(tree, fdt_path_offset(tree, "/cpus/cache@0"), "device_type",
                                    "cache"));
    assert_null(machine_read(tree));
    EXPECT_EQ(machine.n_harts, 1, "harts");
    EXPECT_EQ(machine.hart_ids[0], 0, "which");
    ram_free();
}

// What is reserved is a whole number of pages; nothing is none; what there is no room for is left.
TEST(more_reservations_than_there_is_room_for)
{
    struct range r;
    unsigned     n = 0;

    machine_make(NULL);
    ram_reserve((u64)ram, 0);
    assert_false(ram_taken(0, &r));
    for (u64 i = 0; i < RESERVED_MAX + 5; i++)
        ram_reserve((u64)ram + 2 * i * PAGE_SIZE + 1, 1);
    for (; ram_taken(n, &r); n++) {
        EXPECT_EQ(r.base, (u64)ram + 2 * n * PAGE_SIZE, "%u begins", n);
        EXPECT_EQ(r.size, PAGE_SIZE, "%u", n);
    }
    EXPECT_EQ(n, RESERVED_MAX, "reservations");
    assert_null(machine_read(tree));
    EXPECT_EQ(ram_alloc(PAGE_SIZE, PAGE_SIZE), 0, "nobody could say whose it is");
    ram_free();
}

// What is handed out never overlaps, is zero, aligned, and inside RAM.
TEST(memory_is_handed_out_once)
{
    static struct range got[RESERVED_MAX];
    unsigned            n    = 0;
    u64                 seed = 5, free_before;

    machine_make(NULL);
    memset(ram, 0xee, 64 * MIB);
    assert_null(machine_read(tree));
    ram_reserve((u64)ram + 5 * MIB + 1, 3 * MIB);
    free_before = ram_free_bytes();
    assert_true(free_before <= RAM - 3 * MIB);
    for (;; n++) {
        u64 size = 1 + dice_below(&seed, 4 * MIB), align = PAGE_SIZE << dice_below(&seed, 10);
        u64 base = ram_alloc(size, align);

        if (!base)
            break;
        assert_true(is_aligned(base, align) && range_contains((u64)ram, RAM, base, size));
        assert_true(base + size <= (u64)ram + 5 * MIB || base >= (u64)ram + 8 * MIB + 1);
        assert_true(base >= (u64)ram + PAGE_SIZE); // the tree's own reservation
        for (u64 i = 0; i < size; i += 509)
            EXPECT_EQ(*(u8 *)(base + i), 0, "it is zero");
        for (unsigned i = 0; i < n; i++)
            assert_true(base + size <= got[i].base || got[i].base + got[i].size <= base);
        got[n].base = base, got[n].size = size;
    }
    assert_true(n > 40);
    assert_true(ram_free_bytes() < free_before);
    EXPECT_EQ(ram_alloc(RAM, PAGE_SIZE), 0, "more than there is");
    EXPECT_EQ(ram_alloc(~0ul, PAGE_SIZE), 0, "all addresses");
    EXPECT_EQ(ram_alloc(~0ul - PAGE_SIZE, PAGE_SIZE), 0, "nearly all");
    EXPECT_EQ(ram_alloc(PAGE_SIZE, 1ul << 62), 0, "a huge alignment");
    ram_free();
}

TEST(a_good_bundle)
{
    struct bundle_spec s = good_spec();
    struct vm_config   c;
    const char        *why;

    machine_make(NULL);
    assert_null(machine_read(tree));
    s.engine = "classic", s.vcpus = 1, s.shadow_pages = 300;
    assert_null(bundle_put(&s));
    assert_true(bundle_vm(0, &c, &why));
    assert_null(why);
    assert_string_equal(c.name, "vm0");
    assert_string_equal(c.bootargs, "console=ttyS0");
    assert_string_equal(c.engine, "classic");
    EXPECT_EQ(c.memory, 32 * MIB, "memory");
    EXPECT_EQ(c.vcpus, 1, "vcpus");
    EXPECT_EQ(c.shadow_pages, 300, "shadow pages");
    EXPECT_EQ(c.kernel.size, sizeof kernel, "kernel");
    assert_memory_equal(c.kernel.data, kernel, sizeof kernel);
    assert_memory_equal(c.ramdisk.data, ramdisk, sizeof ramdisk);
    assert_false(bundle_vm(1, &c, &why));
    ram_free();
}

static const char *first_word(struct bundle_spec s)
{
    struct vm_config c;
    const char      *why = "; no VMs";

    machine_make(NULL);
    assert_null(machine_read(tree));
    assert_null(bundle_put(&s));
    (void)bundle_vm(0, &c, &why);
    ram_free();
    return why;
}

TEST(damaged_bundles)
{
    static char        lengthy[3000];
    struct bundle_spec s = good_spec();

    s.wrong_crc = true;
    expect_words(first_word(s), "CRC");
    s = good_spec(), s.no_crc = true;
    expect_words(first_word(s), "CRC");
    s = good_spec(), s.no_data = true;
    expect_words(first_word(s), "no data");
    s = good_spec(), s.wrong_names = true;
    expect_words(first_word(s), "kernel");
    s = good_spec(), s.memory = 0;
    expect_words(first_word(s), "memory");
    s = good_spec(), s.no_text = true;
    expect_words(first_word(s), "text");
    memset(lengthy, 'x', sizeof lengthy - 1);
    s = good_spec(), s.bootargs = lengthy;
    expect_words(first_word(s), "command line");
    s = good_spec(), s.no_vms = true;
    expect_words(first_word(s), "no VMs");
    s = good_spec(), s.vcpus = 1ul << 32 | 1;
    assert_null(first_word(s)); // refused when it is built
}

TEST(what_is_no_bundle)
{
    struct bundle_spec s = good_spec();
    fdt32_t           *word;
    u64                at;
    int                size;

    machine_make(NULL);
    assert_null(machine_read(tree));
    expect_words(bundle_open(0), "no bundle");
    expect_words(bundle_open(0x1000), "no bundle");
    expect_words(bundle_open((u64)ram + RAM), "no bundle");
    expect_words(bundle_open((u64)ram + RAM - 8), "no bundle");
    expect_words(bundle_open(~0ul), "no bundle");
    expect_words(bundle_open((u64)ram + 16 * MIB), "-kernel");
    size = bundle_make(ram + 16 * MIB, BUNDLE, &s);
    word = (fdt32_t *)(ram + 16 * MIB);
    at   = align_down(RAM - (u64)size + 64, 8);
    memcpy(ram + at, word, RAM - at); // it reaches over the end of RAM
    expect_words(bundle_open((u64)ram + at), "damaged");
    word[1] = cpu_to_fdt32(0xffffffff);
    expect_words(bundle_open((u64)word), "damaged");
    ram_free();
}

// One bit of the structure is wrong: refused, or read without harm.
TEST(bundles_with_a_flipped_bit)
{
    struct bundle_spec s    = good_spec();
    u64                seed = 77;
    static u8          whole[200000];
    int                size;

    s.kernel_size = 400, s.ramdisk = NULL;
    machine_make(NULL);
    assert_null(machine_read(tree));
    size = bundle_make(ram + 16 * MIB, BUNDLE, &s);
    memcpy(whole, ram + 16 * MIB, (size_t)size);
    for (int n = 0; n < 5000; n++) {
        struct vm_config c;
        const char      *why;

        memcpy(ram + 16 * MIB, whole, (size_t)size);
        for (u64 k = 0; k <= dice_below(&seed, 3); k++)
            ram[16 * MIB + dice_below(&seed, (u64)size)] ^= (u8)(1 << dice_below(&seed, 8));
        if (bundle_open((u64)ram + 16 * MIB))
            continue;
        for (unsigned i = 0; i < 3 && bundle_vm(i, &c, &why); i++)
            assert_true(why || range_contains((u64)ram + 16 * MIB, (u64)size, (u64)c.kernel.data,
                                              c.kernel.size));
        machine_forget();
        assert_null(machine_read(tree));
    }
    ram_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_good_machine),
        RUN(machines_that_lack_something),
        RUN(ram_in_many_pieces),
        RUN(harts_that_are_off_and_nodes_that_are_none),
        RUN(more_reservations_than_there_is_room_for),
        RUN(memory_is_handed_out_once),
        RUN(a_good_bundle),
        RUN(damaged_bundles),
        RUN(what_is_no_bundle),
        RUN(bundles_with_a_flipped_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

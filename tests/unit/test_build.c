// SPDX-License-Identifier: MIT
// From a bundle to virtual machines that could run: what is made, what is refused, where things
// land in memory; and the device tree that a guest finds.
#include "boot.h"

#include "dev/disk.h"
#include "dev/dt.h"
#include "dev/net.h"
#include "dev/port.h"
#include "lib/log.h"
#include "mon/build.h"
#include "mon/guest_dt.h"
#include "mon/life.h"
#include "rig/disk.h"
#include "rig/net.h"
#include "rig/tables.h"
#include "vdev/board.h"
#include "vdev/devices.h"

#include <libfdt.h>

static struct vm *built;

static const char *build_there(struct bundle_spec s)
{
    struct vm_config c;
    const char      *why;

    assert_null(bundle_put(&s));
    assert_true(bundle_vm(0, &c, &why));
    if (!why)
        why = vm_build(&c, &built);
    return why;
}

static const char *build(struct bundle_spec s)
{
    machine_make(NULL);
    assert_null(machine_read(tree));
    return build_there(s);
}

static void built_free(void)
{
    for (u32 i = 0; n_vms && i < built->n_vcpus; i++)
        vcpu_reset(built->vcpus[i]);
    ram_free();
}

static void boot(void)
{
    life_adopt(built);
    vm_start(built);
    while (built->state != VM_RUNNING)
        built->on_end(built);
}

TEST(a_good_vm)
{
    struct bundle_spec s = good_spec();
    struct vcpu       *v;

    assert_null(build(s));
    assert_true(ram_total_bytes() - ram_free_bytes() < 32 * MIB); // its RAM is not taken yet
    boot();
    v = built->vcpus[0];
    EXPECT_EQ(v->f.pc, VM_RAM_BASE + 2 * MIB, "pc");
    EXPECT_EQ(v->f.x[REG_A0], 0, "a0");
    EXPECT_EQ(v->mode, MODE_S, "mode");
    EXPECT_EQ(built->ram_size, 32 * MIB, "RAM");
    assert_true(is_aligned(built->ram.a, 2 * MIB) &&
                range_contains((u64)ram, RAM, built->ram.a, 32 * MIB));
    assert_memory_equal((u8 *)built->ram.a + 2 * MIB, kernel, sizeof kernel);
    EXPECT_EQ(built->ram_window.base, built->ram.a, "the PMP window");
    EXPECT_EQ(built->ram_window.end, built->ram.a + 32 * MIB, "the PMP window");
    assert_true(built->table_window.end <= built->ram_window.base ||
                built->table_window.base >= built->ram_window.end);
    EXPECT_EQ(built->table_window.rights, PMP_R, "tables are read by the walker alone");

    const void *fdt = (const void *)(built->ram.a + v->f.x[REG_A1] - VM_RAM_BASE);

    EXPECT_EQ(fdt_check_full(fdt, 64 * KIB), 0, "the guest's tree");
    built_free();
}

// A second start finds nothing of the first.
TEST(a_second_start)
{
    struct bundle_spec s = good_spec();
    u8                *r;

    s.odd_data = true;
    assert_null(build(s));
    boot();
    r = (u8 *)built->ram.a;
    memset(r, 0xee, 32 * MIB);
    built->vcpus[0]->csr.sscratch = 0x1234;
    built->vcpus[0]->f.x[5]       = 0x55;
    built->state                  = VM_STOPPED;
    boot();
    EXPECT_EQ(built->vcpus[0]->csr.sscratch | built->vcpus[0]->f.x[5], 0, "registers");
    assert_memory_equal(r + 2 * MIB, kernel, sizeof kernel);
    for (u64 i = 0; i < 2 * MIB; i++)
        EXPECT_EQ(r[i], 0, "before the kernel, at %lx", i);
    for (u64 i = 2 * MIB + sizeof kernel; i < 31 * MIB; i++)
        EXPECT_EQ(r[i], 0, "behind the kernel, at %lx", i);
    built_free();
}

// A person changes his mind while the VM is loaded, or ends.
TEST(a_start_is_broken_off)
{
    u64 free_before;

    assert_null(build(good_spec()));
    life_adopt(built);
    free_before = ram_free_bytes();
    vm_start(built);
    for (int step = 0; step < 3; step++)
        built->on_end(built);
    assert_true(ram_free_bytes() < free_before);
    vm_put_off(built, false, "killed by the operator");
    built->on_end(built);
    EXPECT_EQ(built->state, VM_OFF, "it is off");
    EXPECT_EQ(ram_free_bytes(), free_before, "its RAM is free");
    vm_start(built);
    built->on_end(built);
    vm_put_off(built, true, "stopped by the operator");
    vm_end(built, VM_END_RESET, "reset by the operator"); // after all
    assert_false(built->is_kept);
    while (built->state == VM_STOPPED)
        built->on_end(built);
    EXPECT_EQ(built->state, VM_RUNNING, "it runs");
    EXPECT_EQ(built->starts, 1, "starts");
    built_free();
}

// Its RAM was there when it was built, and others have it when it starts.
TEST(a_start_that_finds_no_ram)
{
    u64 free_before;

    assert_null(build(good_spec()));
    life_adopt(built);
    while (ram_take(32 * MIB, PAGE_SIZE))
        ;
    free_before = ram_free_bytes();
    vm_start(built);
    built->on_end(built);
    EXPECT_EQ(built->state, VM_OFF, "it is off");
    EXPECT_EQ(built->end, VM_END_FAIL, "and has failed");
    EXPECT_EQ(built->starts, 0, "starts");
    EXPECT_EQ(ram_free_bytes(), free_before, "it has nothing");
    built_free();
}

TEST(vms_that_cannot_be)
{
    struct bundle_spec s;

    s = good_spec(), s.memory = 15 * MIB;
    expect_words(build(s), "memory");
    ram_free();
    s = good_spec(), s.memory = 16 * MIB + 4096;
    expect_words(build(s), "memory");
    ram_free();
    s = good_spec(), s.memory = 1ul << 50;
    expect_words(build(s), "memory");
    ram_free();
    s = good_spec(), s.memory = ~0ul - 2 * MIB + 1;
    expect_words(build(s), "memory");
    ram_free();
    s = good_spec(), s.memory = RAM;
    expect_words(build(s), "RAM");
    ram_free();
    s = good_spec(), s.vcpus = 1ul << 32 | 1;
    expect_words(build(s), "vCPUs");
    ram_free();
    s = good_spec(), s.engine = "steam";
    assert_non_null(build(s));
    ram_free();
    s = good_spec(), s.shadow_pages = 3;
    expect_words(build(s), "shadow");
    ram_free();
    s = good_spec(), s.kernel_size = 20;
    expect_words(build(s), "kernel");
    ram_free();
    s = good_spec(), kernel[50] ^= 1;
    expect_words(build(s), "kernel");
    ram_free();
}

// The last values that are allowed, and the first that are not.
TEST(limits)
{
    static const struct {
        u32  weight, cap, shadow_pages;
        u64  memory;
        bool good;
    } cases[] = {
        { 1, 0, 0, 16 * MIB, true },
        { 0, 0, 0, 16 * MIB, false },
        { 1000, 100, SHADOW_POOL_MIN, 18 * MIB, true },
        { 1001, 100, SHADOW_POOL_MIN, 18 * MIB, false },
        { 1000, 101, SHADOW_POOL_MIN, 18 * MIB, false },
        { 1000, 100, SHADOW_POOL_MIN - 1, 18 * MIB, false },
        { 1, 1, SHADOW_POOL_MAX, 16 * MIB, true },
        { 1, 1, SHADOW_POOL_MAX + 1, 16 * MIB, false },
        { 1, 1, 0, 14 * MIB, false },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bundle_spec s = good_spec();
        struct vm_config   c;
        const char        *why;

        machine_make(NULL);
        assert_null(machine_read(tree));
        assert_null(bundle_put(&s));
        assert_true(bundle_vm(0, &c, &why));
        c.weight = cases[i].weight, c.cap = cases[i].cap;
        c.shadow_pages = cases[i].shadow_pages, c.memory = cases[i].memory;
        EXPECT_EQ(!vm_build(&c, &built), cases[i].good, "case %lu", i);
        ram_free();
    }
}

// Its shadow tables are naturally aligned, so that one entry of the PMP covers them; but not where
// its RAM would have no place then.
TEST(tables_are_naturally_aligned)
{
    static const struct {
        u64  shadow_pages, machine;
        bool aligned;
    } cases[] = { { 1023, 40, true }, { 1023, 38, false }, { 1022, 40, false } };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bundle_spec s = good_spec();
        struct vm_config   c;
        const char        *why;
        u64                base, size, mask;

        machine_make(NULL);
        assert_null(machine_read(tree));
        assert_null(bundle_put(&s));
        assert_true(bundle_vm(0, &c, &why));
        base           = align_up((u64)ram + 16 * MIB + BUNDLE, 4 * MIB);
        machine.n_ram  = 1;
        machine.ram[0] = (struct range){ base, cases[i].machine * MIB };
        c.shadow_pages = (u32)cases[i].shadow_pages;
        assert_null(vm_build(&c, &built));
        size = (cases[i].shadow_pages + 1) * PAGE_SIZE;
        mask = 4 * MIB - 1;
        EXPECT_EQ(built->table_window.end - built->table_window.base, size, "case %zu", i);
        EXPECT_EQ(!(built->table_window.base & mask), cases[i].aligned, "case %zu", i);
        boot(); // with RAM
        EXPECT_EQ(built->ram_window.end - built->ram_window.base, c.memory, "case %zu", i);
        ram_free();
    }
}

// A kernel that says where it goes and where it starts.
TEST(placed_kernels)
{
    static const struct {
        u64         load, mem_size, entry;
        const char *wrong; // NULL: nothing
    } cases[] = {
        { VM_RAM_BASE + MIB, 60000, VM_RAM_BASE + MIB, NULL },
        { VM_RAM_BASE + MIB, 60000, VM_RAM_BASE + MIB + 59998, NULL },
        { VM_RAM_BASE + MIB, 60000, VM_RAM_BASE + MIB + 60000, "start outside" },
        { VM_RAM_BASE + MIB, 60000, VM_RAM_BASE + MIB - 2, "start outside" },
        { VM_RAM_BASE + MIB, 60000, VM_RAM_BASE + MIB + 1, "start outside" },
        { VM_RAM_BASE + MIB, 60000, 0, "start outside" },
        { VM_RAM_BASE - PAGE_SIZE, 60000, VM_RAM_BASE, "stand outside" },
        { VM_RAM_BASE + 32 * MIB - 59999, 60000, VM_RAM_BASE + 31 * MIB, "stand outside" },
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct bundle_spec s = good_spec();
        struct vm_config   c;
        const char        *why;

        s.ramdisk = NULL;
        machine_make(NULL);
        assert_null(machine_read(tree));
        assert_null(bundle_put(&s));
        assert_true(bundle_vm(0, &c, &why));
        c.kernel.placed = true;
        c.kernel.load = cases[i].load, c.kernel.mem_size = cases[i].mem_size;
        c.kernel.entry = cases[i].entry;
        why            = vm_build(&c, &built);
        if (cases[i].wrong)
            expect_words(why, cases[i].wrong);
        else
            assert_null(why);
        ram_free();
    }
}

TEST(kernels_that_do_not_fit)
{
    static const u64   far[] = { 32 * MIB,    1ul << 40,  1ul << 63,      ~0ul,
                                 ~0ul - 4095, ~0ul << 21, 32 * MIB - 4096 };
    struct bundle_spec s;

    for (size_t i = 0; i < ARRAY_LEN(far); i++) {
        s = good_spec(), kernel_make(kernel, sizeof kernel, far[i], 3 * MIB);
        expect_words(build(s), "kernel");
        ram_free();
        s = good_spec(), kernel_make(kernel, sizeof kernel, 2 * MIB, far[i]);
        expect_words(build(s), "kernel");
        ram_free();
    }
}

TEST(a_vm_without_its_disk_is_refused)
{
    struct bundle_spec s = good_spec();

    s.partition = "root";
    expect_words(build(s), "disk");
    EXPECT_EQ(n_vms, 0, "VMs");
    s.partition = "a label of more than thirty-six bytes";
    expect_words(build(s), "partition");
    s.partition = "";
    expect_words(build(s), "partition");
    ram_free();
}

// A disk that answers at once.
#define BLOCKS 8192ul
static u8             image[BLOCKS * SECTOR_SIZE];
static struct blkreq *answered;

static bool card_put(void *chip, struct blkreq *r)
{
    (void)chip;
    if (r->op == BLK_READ)
        memcpy((void *)r->segs[0].at.a, image + r->sector * SECTOR_SIZE, r->segs[0].len);
    r->status = BLK_OK;
    answered  = r;
    return true;
}

static void card_kick(void *chip)
{
    (void)chip;
}

static struct blkreq *card_take(void *chip)
{
    struct blkreq *r = answered;

    (void)chip;
    answered = NULL;
    return r;
}

static void say_nothing(const char *who, const char *what)
{
    (void)who, (void)what;
}

// The disk has a partition "root".
static void disk_plug(void)
{
    static const struct disk_ops   ops    = { .put = card_put, .kick = card_kick, .take = card_take };
    static const struct table_part root[] = { { 100, 1099, "root" } };
    static struct disk_chip        chip;

    machine_make(NULL);
    assert_null(machine_read(tree));
    disk_forget();
    gpt_make(image, SECTOR_SIZE, BLOCKS, root, 1, 128, 128);
    chip = (struct disk_chip){ .ops   = &ops,
                               .name  = "card",
                               .depth = 8,
                               .shape = { .n_sectors   = BLOCKS,
                                          .block_size  = SECTOR_SIZE,
                                          .segs_max    = 4,
                                          .sectors_max = 8192,
                                          .has_flush   = true } };
    assert_true(disk_add(&chip));
    disks_start(say_nothing);
}

// What the bundle says of its disk is so.
TEST(a_vm_with_a_disk)
{
    struct bundle_spec s = good_spec();
    struct disk_user   u;

    for (int readonly = 0; readonly < 2; readonly++) {
        s.partition     = "root";
        s.disk_readonly = readonly;
        s.disk_requests = 1000 + (u64)readonly;
        s.disk_bytes    = (1ul << 33) + (u64)readonly;
        s.weight        = 250;
        disk_plug();
        assert_null(build_there(s));
        assert_true(disk_user(0, &u));
        assert_ptr_equal(u.d, built->disk);
        EXPECT_EQ(u.read_only, readonly, "read-only");
        EXPECT_EQ(built->disk->read_only, readonly, "read-only");
        EXPECT_EQ(u.weight, 250, "weight");
        EXPECT_EQ(built->weight, 250, "weight");
        EXPECT_EQ(built->disk_limits.requests_per_s, 1000 + (u64)readonly, "requests");
        EXPECT_EQ(built->disk_limits.bytes_per_s, (1ul << 33) + (u64)readonly, "bytes");
        built_free();
        disk_forget();
    }
}

TEST(a_vm_with_a_network)
{
    static const u8    mac[7] = { 0x52, 0x54, 0, 1, 2, 3 }, group[6] = { 0x53, 0x54, 0, 1, 2, 3 };
    struct bundle_spec s      = good_spec();
    struct port_report port;

    switch_forget();
    s.mac      = mac;
    s.mac_size = 6;
    s.vlan     = 4094;
    s.net_rate = 123456;
    assert_null(build(s));
    assert_non_null(built->port);
    assert_true(switch_port(0, &port));
    assert_memory_equal(port.mac, mac, 6);
    EXPECT_EQ(port.vlan, 4094, "VLAN");
    EXPECT_EQ(built->port->rate.per_s, 123456, "bytes in a second");
    assert_string_equal(port.name, built->name);
    assert_false(switch_port(1, &port));
    built_free();

    switch_forget();
    s.vlan = 4095;
    expect_words(build(s), "vlan");
    s.vlan     = 0;
    s.mac_size = 7;
    expect_words(build(s), "mac");
    s.mac      = group;
    s.mac_size = 6;
    expect_words(build(s), "mac");
    ram_free();
}

// The header's offset is any number; an odd one must be refused, or work.
TEST(kernel_at_an_odd_offset)
{
    for (u64 off = 1; off < 20; off += 3) {
        struct bundle_spec s = good_spec();

        kernel_make(kernel, sizeof kernel, 2 * MIB + off, 3 * MIB);
        if (!build(s))
            boot();
        built_free();
    }
}

TEST(many_vms_fit)
{
    struct bundle_spec s = good_spec();
    struct vm_config   c;
    const char        *why;
    unsigned           n;

    s.n_vms = 12, s.memory = 16 * MIB, s.ramdisk = NULL;
    machine_make(NULL);
    assert_null(machine_read(tree));
    assert_null(bundle_put(&s));
    for (n = 0; n < 11 && bundle_vm(n, &c, &why); n++)
        assert_null(vm_build(&c, &built));
    EXPECT_EQ(n, 11, "VMs");
    for (unsigned i = 0; i < n_vms; i++)
        for (unsigned j = 0; j < i; j++)
            assert_true(vms[i]->ram_window.end <= vms[j]->ram_window.base ||
                        vms[j]->ram_window.end <= vms[i]->ram_window.base);
    built_free();
}

// The guest's device tree

static const void *guest_tree(void *to, size_t room)
{
    guest_dt_make(built, "quiet", gpa(VM_RAM_BASE + 0x1000000), 0x1234, to, room);
    return to;
}

TEST(guest_tree_says_what_there_is)
{
    static u64  room[8192];
    const void *fdt;
    u64         base, size, value;
    int         node, len;

    assert_null(build(good_spec()));
    fdt = guest_tree(room, sizeof room);
    EXPECT_EQ(fdt_check_full(fdt, sizeof room), 0, "whole");
    node = fdt_path_offset(fdt, "/memory@80000000");
    assert_true(node >= 0 && dt_reg(fdt, node, 0, &base, &size));
    EXPECT_EQ(base, VM_RAM_BASE, "base");
    EXPECT_EQ(size, 32 * MIB, "size");
    node = fdt_path_offset(fdt, "/chosen");
    assert_string_equal(dt_string(fdt, node, "bootargs"), "quiet");
    assert_true(dt_number(fdt, node, "linux,initrd-start", &value) &&
                value == VM_RAM_BASE + 0x1000000);
    assert_true(dt_number(fdt, node, "linux,initrd-end", &value) &&
                value == VM_RAM_BASE + 0x1001234);
    node = fdt_path_offset(fdt, "/cpus/cpu@0");
    assert_string_equal(dt_string(fdt, node, "riscv,isa"), built->isa->text);
    assert_string_equal(dt_string(fdt, node, "mmu-type"), "riscv,sv57");
    assert_non_null(fdt_getprop(fdt, node, "riscv,isa-extensions", &len));
    assert_true(dt_stdout(fdt) >= 0);
    for (int i = 0; i < 2; i++) { // what a kernel writes where to power off, and to reboot
        node = fdt_path_offset(fdt, i ? "/soc/reboot" : "/soc/poweroff");
        assert_string_equal(dt_string(fdt, node, "compatible"),
                            i ? "syscon-reboot" : "syscon-poweroff");
        assert_true(dt_number(fdt, node, "value", &value) && value == (i ? 0x7777 : 0x5555));
        assert_true(dt_number(fdt, node, "offset", &value) && value == 0);
        assert_true(dt_number(fdt, node, "regmap", &value));
        node = fdt_node_offset_by_phandle(fdt, (u32)value);
        assert_true(dt_reg(fdt, node, 0, &base, &size) && base == VFINISHER_BASE);
    }
    for (size_t i = 0; i < board_n_devices; i++) {
        const struct vdev_ops *ops   = board_devices[i];
        bool                   found = false;

        for (node = 0; node >= 0; node = fdt_next_node(fdt, node, NULL))
            found |= dt_reg(fdt, node, 0, &base, &size) && base == ops->base;
        EXPECT_EQ(found, ops != &vslots_ops && (!ops->present || ops->present(built)), "%s",
                  ops->name);
    }
    built_free();
}

TEST(guest_trees_have_seeds_of_their_own)
{
    static u64  a[8192], b[8192];
    const char *seed_a, *seed_b;
    int         len_a, len_b;

    assert_null(build(good_spec()));
    (void)guest_tree(a, sizeof a), (void)guest_tree(b, sizeof b);
    guest_dt_seed((char *)a + guest_dt_seed_offset(a));
    guest_dt_seed((char *)b + guest_dt_seed_offset(b));
    seed_a = fdt_getprop(a, fdt_path_offset(a, "/chosen"), "rng-seed", &len_a);
    seed_b = fdt_getprop(b, fdt_path_offset(b, "/chosen"), "rng-seed", &len_b);
    EXPECT_EQ(len_a, 32, "length");
    EXPECT_EQ(len_b, 32, "length");
    assert_memory_not_equal(seed_a, seed_b, 32);
    built_free();
}

TEST(longest_command_line_fits)
{
    static char        lengthy[CMDLINE_MAX + 1];
    struct bundle_spec s = good_spec();

    memset(lengthy, 'x', CMDLINE_MAX);
    s.bootargs = lengthy;
    assert_null(build(s));
    boot();
    built_free();
}

// Whoever stops a VM that is being loaded is heard, however far that is; and its RAM is free again.
TEST(a_start_that_is_broken_off)
{
    u64 free_before;

    assert_null(build(good_spec()));
    life_adopt(built);
    free_before = ram_free_bytes();
    for (u64 steps = 0; steps < 5; steps++) {
        vm_start(built);
        for (u64 i = 0; i < steps; i++)
            built->on_end(built);
        vm_put_off(built, false, "killed");
        built->on_end(built);
        EXPECT_EQ(built->state, VM_OFF, "state after %lu steps", steps);
        EXPECT_EQ(ram_free_bytes(), free_before, "RAM after %lu steps", steps);
    }
    boot();
    EXPECT_EQ(built->starts, 1, "starts");
    built_free();
}

static bool is_busy;

static bool is_done(const struct vdev *d)
{
    (void)d;
    return !is_busy;
}

static char told[4096];

static void line_add(struct out *o, const char *text, size_t len)
{
    (void)o;
    if (strlen(told) + len < sizeof told)
        strncat(told, text, len);
}

// D11: its disk may still write.  So its RAM stays its own, nobody computes for it, and a person
// hears of it, once.
TEST(a_vm_that_ends_with_a_silent_disk)
{
    static const struct vdev_ops ops  = { .name = "silent", .quiet = is_done };
    static struct vdev           disk = { .ops = &ops };
    struct out                   log  = { line_add };
    u64                          free_before;

    assert_null(build(good_spec()));
    free_before = ram_free_bytes();
    boot();
    disk.vm = built;
    assert_true(bus_add(&built->bus, &disk));
    log_to(&log);
    is_busy        = true;
    fake_hart.time = 1000;
    vm_put_off(built, false, "killed by the operator");
    for (u32 ms = 0; ms < 7000; ms++) {
        built->on_end(built);
        EXPECT_EQ(built->state, VM_STOPPED, "after %u ms", ms);
        assert_true(built->rests_until > fake_hart.time);
        EXPECT_EQ(!!strstr(told, "its disk has not done"), ms >= 5000, "after %u ms", ms);
        fake_hart.time += machine.timebase_hz / 1000;
    }
    assert_true(ram_free_bytes() < free_before);
    assert_null(strstr(strstr(told, "its disk") + 1, "its disk")); // once
    is_busy = false;
    built->on_end(built);
    EXPECT_EQ(built->state, VM_OFF, "it has answered");
    EXPECT_EQ(built->rests_until, 0, "and rests no more");
    EXPECT_EQ(ram_free_bytes(), free_before, "RAM");
    log_to(NULL);
    built_free();
}

static void woken(void *arg)
{
    (void)arg;
}

// What others send to it is dropped, not kept for its next life.
TEST(a_vm_that_is_off_has_no_place_at_the_switch)
{
    static const u8    mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };
    struct bundle_spec s      = good_spec();
    struct port_report port;

    switch_forget();
    s.mac      = mac;
    s.mac_size = 6;
    assert_null(build(s));
    boot();
    port_open(built->port, 0, woken, NULL);
    assert_true(switch_port(0, &port) && port.open);
    vm_put_off(built, false, "killed by the operator");
    built->on_end(built);
    EXPECT_EQ(built->state, VM_OFF, "it is off");
    assert_true(switch_port(0, &port) && !port.open);
    built_free();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUN(a_good_vm),
        RUN(a_second_start),
        RUN(a_start_is_broken_off),
        RUN(a_start_that_is_broken_off),
        RUN(a_start_that_finds_no_ram),
        RUN(vms_that_cannot_be),
        RUN(limits),
        RUN(tables_are_naturally_aligned),
        RUN(placed_kernels),
        RUN(kernels_that_do_not_fit),
        RUN(a_vm_without_its_disk_is_refused),
        RUN(a_vm_with_a_disk),
        RUN(a_vm_with_a_network),
        RUN(kernel_at_an_odd_offset),
        RUN(many_vms_fit),
        RUN(guest_tree_says_what_there_is),
        RUN(guest_trees_have_seeds_of_their_own),
        RUN(longest_command_line_fits),
        RUN(a_vm_that_ends_with_a_silent_disk),
        RUN(a_vm_that_is_off_has_no_place_at_the_switch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

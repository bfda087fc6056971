// SPDX-License-Identifier: MIT
// The machine: what its device tree says, and who has which part of its memory.
//
// In:     the host's device tree; reservations; requests for memory.
// Out:    struct machine; ranges of RAM that nobody else has.
// Always: reserved ranges never overlap what ram_take() returns.  What is taken is listed in the
//         order of addresses, so that a place is found in one pass.
// Locks:  taken_lock for the list of what is taken; the rest is the boot hart's alone.
#include "dev/machine.h"

#include "arch/hart.h"
#include "arch/lock.h"
#include "dev/dt.h"
#include "isa/csr.h"
#include "lib/words.h"

#include <libfdt.h>
#include <string.h>

struct machine      machine;
static struct range taken[RESERVED_MAX];
static unsigned     n_taken;
static struct lock  taken_lock;

static void ram_read(const void *fdt)
{
    int node = -1;

    while ((node = fdt_node_offset_by_prop_value(fdt, node, "device_type", "memory", 7)) >= 0)
        for (unsigned i = 0; machine.n_ram < RAM_RANGES_MAX; i++) {
            struct range *r = &machine.ram[machine.n_ram];

            if (!dt_reg(fdt, node, i, &r->base, &r->size))
                break;
            machine.n_ram++;
        }
}

// A property of a hart's node, or 0.
static u32 hart_number(const void *fdt, int node, const char *name)
{
    u64 value = 0;

    return dt_number(fdt, node, name, &value) ? (u32)value : 0;
}

static void harts_read(const void *fdt, int cpus)
{
    int node;

    fdt_for_each_subnode(node, fdt, cpus) {
        const char *type = dt_string(fdt, node, "device_type");

        if (!type || strcmp(type, "cpu") || !dt_enabled(fdt, node))
            continue;
        if (machine.n_harts < MACHINE_HARTS_MAX)
            machine.hart_ids[machine.n_harts] = hart_number(fdt, node, "reg");
        machine.n_harts++;
        if (hart_number(fdt, node, "reg") != hart_id()) // harts of one machine may differ
            continue;
        machine.host_isa   = dt_string(fdt, node, "riscv,isa");
        machine.cbom_block = hart_number(fdt, node, "riscv,cbom-block-size");
        machine.cboz_block = hart_number(fdt, node, "riscv,cboz-block-size");
    }
}

// A tree's own reservations: the memory reservation block and /reserved-memory (3.5).
static void reservations_read(const void *fdt)
{
    int parent = fdt_path_offset(fdt, "/reserved-memory"), node;
    u64 base, size;

    for (int i = 0; i < fdt_num_mem_rsv(fdt); i++)
        if (!fdt_get_mem_rsv(fdt, i, &base, &size))
            ram_reserve(base, size);
    if (parent >= 0)
        fdt_for_each_subnode(node, fdt, parent)
            if (dt_reg(fdt, node, 0, &base, &size))
                ram_reserve(base, size);
    ram_reserve((u64)fdt, fdt_totalsize(fdt));
}

const char *machine_read(const void *fdt)
{
    int cpus;

    if (!fdt || !is_aligned((u64)fdt, 8) || fdt_check_header(fdt))
        return "no device tree in a1; start the monitor as OpenSBI is started";
    cpus = fdt_path_offset(fdt, "/cpus");
    if (cpus < 0 || !dt_number(fdt, cpus, "timebase-frequency", &machine.timebase_hz) ||
        !machine.timebase_hz)
        return "the device tree has no timebase-frequency; give it one";
    machine.fdt   = fdt;
    machine.model = dt_string(fdt, 0, "model");
    harts_read(fdt, cpus);
    if (!machine.host_isa)
        return "the device tree has no riscv,isa for the boot hart; give it one";
    isa_filter(machine.host_isa, hart_caps.fp, &machine.isa);
    ram_read(fdt);
    if (!machine.n_ram)
        return "the device tree has no memory node; give it one";
    reservations_read(fdt);
    return NULL;
}

void ram_reserve(u64 base, u64 size)
{
    u64      end = align_up(base + size, PAGE_SIZE);
    unsigned at  = n_taken;

    if (n_taken == RESERVED_MAX || !size)
        return;
    base = align_down(base, PAGE_SIZE);
    for (; at && taken[at - 1].base > base; at--)
        taken[at] = taken[at - 1];
    taken[at] = (struct range){ base, end - base };
    n_taken++;
}

static bool range_holds(const struct range *r, u64 base, u64 size)
{
    return base - r->base < r->size && size <= r->size - (base - r->base);
}

// What lies before `base` and was passed does not reach beyond it.
static u64 range_alloc(const struct range *r, u64 size, u64 align)
{
    u64 base = align_up(r->base, align);

    for (unsigned i = 0; i < n_taken && range_holds(r, base, size); i++) {
        if (taken[i].base >= base + size)
            break;
        if (base < taken[i].base + taken[i].size)
            base = align_up(taken[i].base + taken[i].size, align);
    }
    return range_holds(r, base, size) ? base : 0;
}

u64 ram_take(u64 size, u64 align)
{
    u64 base = 0;

    if (!size || size > ram_total_bytes())
        return 0;
    lock_take(&taken_lock);
    for (unsigned i = 0; i < machine.n_ram && !base && n_taken < RESERVED_MAX; i++)
        base = range_alloc(&machine.ram[i], align_up(size, PAGE_SIZE), align);
    if (base)
        ram_reserve(base, size);
    lock_drop(&taken_lock);
    return base;
}

u64 ram_alloc(u64 size, u64 align)
{
    u64 base = ram_take(size, align);

    if (base)
        words_clear((void *)base, align_up(size, PAGE_SIZE));
    return base;
}

void ram_release(u64 base)
{
    lock_take(&taken_lock);
    for (unsigned i = 0; i < n_taken; i++)
        if (taken[i].base == base) {
            memmove(&taken[i], &taken[i + 1], (--n_taken - i) * sizeof taken[i]);
            break;
        }
    lock_drop(&taken_lock);
}

u64 ram_total_bytes(void)
{
    u64 sum = 0;

    for (unsigned i = 0; i < machine.n_ram; i++)
        sum += machine.ram[i].size;
    return sum;
}

u64 ram_free_bytes(void)
{
    u64 sum = ram_total_bytes();

    lock_take(&taken_lock);
    for (unsigned i = 0; i < n_taken; i++)
        sum -= min_u64(sum, taken[i].size);
    lock_drop(&taken_lock);
    return sum;
}

bool ram_taken(unsigned n, struct range *r)
{
    bool is;

    lock_take(&taken_lock);
    is = n < n_taken;
    if (is)
        *r = taken[n];
    lock_drop(&taken_lock);
    return is;
}

// SPDX-License-Identifier: MIT
// The guest's device tree (Devicetree Specification 0.4; Linux, Documentation/devicetree/bindings).
//
// In:     a VM and its boot arguments.
// Out:    a flattened tree in the guest's memory, with a fresh rng-seed.
// Always: it says of the hart what the hart has and the monitor can virtualise, and nothing of the
//         machine below.
// Locks:  none of its own; VMs may start on several harts at once.
#include "mon/guest_dt.h"

#include "dev/clock.h"
#include "dev/entropy.h"
#include "dev/machine.h"
#include "lib/panic.h"
#include "vdev/board.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#define SPARE 4096 // bytes left in it

#define SEED_BYTES 32

static void property_u64_pair(void *fdt, const char *name, u64 a, u64 b)
{
    fdt64_t pair[2] = { cpu_to_fdt64(a), cpu_to_fdt64(b) };

    fdt_property(fdt, name, pair, sizeof pair);
}

static void chosen_write(void *fdt, const char *bootargs, gpa_t ramdisk, u64 ramdisk_size)
{
    const char no_seed[SEED_BYTES] = { 0 };

    fdt_begin_node(fdt, "chosen");
    fdt_property_string(fdt, "bootargs", bootargs);
    fdt_property_string(fdt, "stdout-path", "/soc/serial@10000000");
    fdt_property(fdt, "rng-seed", no_seed, sizeof no_seed);
    if (ramdisk_size) {
        fdt_property_u64(fdt, "linux,initrd-start", ramdisk.a);
        fdt_property_u64(fdt, "linux,initrd-end", ramdisk.a + ramdisk_size);
    }
    fdt_end_node(fdt);
}

u64 guest_dt_seed_offset(const void *fdt)
{
    const char *seed = fdt_getprop(fdt, fdt_path_offset(fdt, "/chosen"), "rng-seed", NULL);

    ASSERT(seed);
    return (u64)(seed - (const char *)fdt);
}

void guest_dt_seed(void *at)
{
    char seed[SEED_BYTES];
    u64  now = clock_now();

    entropy_mix(&now, sizeof now);
    entropy_take(seed, sizeof seed);
    memcpy(at, seed, sizeof seed);
}

static const char *mmu_type(const struct vm *vm)
{
    return vm->satp_modes & BIT(SATP_SV57)   ? "riscv,sv57"
           : vm->satp_modes & BIT(SATP_SV48) ? "riscv,sv48"
                                             : "riscv,sv39";
}

// The same set of extensions as "riscv,isa", as a list of strings.
static void isa_extensions_write(void *fdt, const struct isa *isa)
{
    char        list[ISA_TEXT_MAX];
    const char *text = isa->text + strlen("rv64"), *name;
    size_t      len, used = 0;

    while ((len = isa_next(&text, &name)) && used + len + 1 <= sizeof list) {
        memcpy(list + used, name, len);
        list[used + len] = 0;
        used += len + 1;
    }
    fdt_property_string(fdt, "riscv,isa-base", "rv64i");
    fdt_property(fdt, "riscv,isa-extensions", list, (int)used);
}

static void hart_write(void *fdt, const struct vm *vm, u32 hart)
{
    char name[16];

    snprintf(name, sizeof name, "cpu@%x", (unsigned)hart);
    fdt_begin_node(fdt, name);
    fdt_property_string(fdt, "device_type", "cpu");
    fdt_property_u32(fdt, "reg", hart);
    fdt_property_string(fdt, "status", "okay");
    fdt_property_string(fdt, "compatible", "riscv");
    fdt_property_string(fdt, "riscv,isa", vm->isa->text);
    isa_extensions_write(fdt, vm->isa);
    fdt_property_string(fdt, "mmu-type", mmu_type(vm));
    if (vm->isa->has & EXT_ZICBOM)
        fdt_property_u32(fdt, "riscv,cbom-block-size", machine.cbom_block);
    if (vm->isa->has & EXT_ZICBOZ)
        fdt_property_u32(fdt, "riscv,cboz-block-size", machine.cboz_block);
    fdt_begin_node(fdt, "interrupt-controller");
    fdt_property_u32(fdt, "#interrupt-cells", 1);
    fdt_property(fdt, "interrupt-controller", NULL, 0);
    fdt_property_string(fdt, "compatible", "riscv,cpu-intc");
    fdt_property_u32(fdt, "phandle", PHANDLE_INTC(hart));
    fdt_end_node(fdt);
    fdt_end_node(fdt);
}

static void cpus_write(void *fdt, const struct vm *vm)
{
    fdt_begin_node(fdt, "cpus");
    fdt_property_u32(fdt, "#address-cells", 1);
    fdt_property_u32(fdt, "#size-cells", 0);
    fdt_property_u32(fdt, "timebase-frequency", (u32)machine.timebase_hz);
    for (u32 hart = 0; hart < vm->n_vcpus; hart++)
        hart_write(fdt, vm, hart);
    fdt_end_node(fdt);
}

static void memory_write(void *fdt, const struct vm *vm)
{
    fdt_begin_node(fdt, "memory@80000000");
    fdt_property_string(fdt, "device_type", "memory");
    property_u64_pair(fdt, "reg", VM_RAM_BASE, vm->ram_size);
    fdt_end_node(fdt);
}

static void soc_write(void *fdt, const struct vm *vm)
{
    fdt_begin_node(fdt, "soc");
    fdt_property_u32(fdt, "#address-cells", 2);
    fdt_property_u32(fdt, "#size-cells", 2);
    fdt_property_string(fdt, "compatible", "simple-bus");
    fdt_property(fdt, "ranges", NULL, 0);
    for (unsigned i = 0; i < vm->bus.n; i++)
        vm->bus.devices[i]->ops->describe(vm->bus.devices[i], fdt);
    fdt_end_node(fdt);
}

void guest_dt_make(const struct vm *vm, const char *bootargs, gpa_t ramdisk, u64 ramdisk_size,
                   void *to, size_t room)
{
    fdt_create(to, (int)room);
    fdt_finish_reservemap(to);
    fdt_begin_node(to, "");
    fdt_property_u32(to, "#address-cells", 2);
    fdt_property_u32(to, "#size-cells", 2);
    fdt_property_string(to, "compatible", "riscv-virtio");
    fdt_property_string(to, "model", "riscv-virtio,duomo");
    chosen_write(to, bootargs, ramdisk, ramdisk_size);
    memory_write(to, vm);
    cpus_write(to, vm);
    soc_write(to, vm);
    fdt_end_node(to);

    int err = fdt_finish(to); // earlier errors are remembered by libfdt and come out here

    ASSERT(!err);
    // As firmware does: a boot loader adds to its copy, and U-Boot's ends where its own data begin.
    fdt_set_totalsize(to, (u32)min_u64(room, fdt_totalsize(to) + SPARE));
}

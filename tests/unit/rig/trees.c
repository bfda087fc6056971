// SPDX-License-Identifier: MIT
// Making device trees, good ones and bad ones.
//
// In:     what they are to say.
// Out:    flattened trees.
// Always: libfdt's errors fail the test.
// Locks:  none.
#include "rig/trees.h"

#include "lib/bits.h"
#include "lib/crc32.h"
#include "lib/panic.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static u8 *area, *ram;
static u64 area_size, ram_bytes;

u8 *ram_make(u64 size)
{
    area_size = size + 4 * MIB;
    // Low, if that is free: legacy devices know page numbers of 32 bits only.
    area = mmap((void *)GIB, area_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT(area != MAP_FAILED);
    ram       = (u8 *)align_up((u64)area + PAGE_SIZE, 2 * MIB);
    ram_bytes = size;
    ASSERT(!mprotect(ram, size, PROT_READ | PROT_WRITE));
    return ram;
}

void ram_free(void)
{
    munmap(area, area_size);
}

static bool lacking(const char *lacks, const char *what)
{
    return lacks && !strcmp(lacks, what);
}

static void cpus_make(void *to, const char *lacks)
{
    fdt_begin_node(to, "cpus");
    fdt_property_u32(to, "#address-cells", 1);
    fdt_property_u32(to, "#size-cells", 0);
    if (!lacking(lacks, "timebase"))
        fdt_property_u32(to, "timebase-frequency", 10000000);
    for (u32 hart = 0; hart < 2; hart++) {
        char name[16];

        snprintf(name, sizeof name, "cpu@%u", hart);
        fdt_begin_node(to, name);
        fdt_property_string(to, "device_type", "cpu");
        fdt_property_u32(to, "reg", hart);
        if (!lacking(lacks, "isa"))
            fdt_property_string(to, "riscv,isa", "rv64imafdc_zicbom_zicboz_sstc_svpbmt");
        fdt_property_u32(to, "riscv,cbom-block-size", 64);
        fdt_property_u32(to, "riscv,cboz-block-size", 64);
        fdt_end_node(to);
    }
    fdt_begin_node(to, "cpu-map");
    fdt_end_node(to);
    fdt_end_node(to);
}

void host_tree_make(void *to, int room, const char *lacks)
{
    fdt64_t reg[2] = { cpu_to_fdt64((u64)ram), cpu_to_fdt64(ram_bytes) };

    ASSERT(!fdt_create(to, room));
    fdt_add_reservemap_entry(to, (u64)ram, PAGE_SIZE);
    fdt_finish_reservemap(to);
    fdt_begin_node(to, "");
    fdt_property_u32(to, "#address-cells", 2);
    fdt_property_u32(to, "#size-cells", 2);
    fdt_property_string(to, "model", "a desk");
    cpus_make(to, lacks);
    if (!lacking(lacks, "memory")) {
        fdt_begin_node(to, "memory@80000000");
        fdt_property_string(to, "device_type", "memory");
        fdt_property(to, "reg", reg, sizeof reg);
        fdt_end_node(to);
    }
    fdt_end_node(to);
    ASSERT(!fdt_finish(to));
}

static void image_make(void *to, const char *name, const void *data, u32 size,
                       const struct bundle_spec *s)
{
    if (!data)
        return;
    fdt_begin_node(to, name);
    if (s->odd_data)
        fdt_property_u32(to, "pad", 0);
    if (!s->no_data)
        fdt_property(to, "data", data, (int)size);
    if (!s->no_crc) {
        fdt_begin_node(to, "hash-1");
        fdt_property_string(to, "algo", "crc32");
        fdt_property_u32(to, "value", crc32(data, size) ^ s->wrong_crc);
        fdt_end_node(to);
    }
    fdt_end_node(to);
}

static void vm_make(void *to, const struct bundle_spec *s, unsigned n)
{
    char name[16];

    snprintf(name, sizeof name, "vm%u", n);
    fdt_begin_node(to, name);
    if (s->memory)
        fdt_property_u64(to, "memory", s->memory);
    if (s->vcpus)
        fdt_property_u64(to, "vcpus", s->vcpus);
    if (s->shadow_pages)
        fdt_property_u64(to, "shadow-pages", s->shadow_pages);
    if (s->partition)
        fdt_property_string(to, "disk-partition", s->partition);
    if (s->mac)
        fdt_property(to, "net-mac", s->mac, (int)s->mac_size);
    if (s->disk_readonly)
        fdt_property(to, "disk-readonly", "", 0);
    if (s->disk_requests)
        fdt_property_u64(to, "disk-requests", s->disk_requests);
    if (s->disk_bytes)
        fdt_property_u64(to, "disk-bytes", s->disk_bytes);
    if (s->weight)
        fdt_property_u64(to, "weight", s->weight);
    if (s->net_rate)
        fdt_property_u64(to, "net-rate", s->net_rate);
    if (s->vlan)
        fdt_property_u64(to, "net-vlan", s->vlan);
    if (s->vcons)
        fdt_property(to, "virtio-console", "", 0);
    if (s->bootargs)
        fdt_property(to, "bootargs", s->bootargs, (int)strlen(s->bootargs) + !s->no_text);
    if (s->engine)
        fdt_property_string(to, "engine", s->engine);
    fdt_property_string(to, "kernel", s->wrong_names ? "nothing" : "kernel-1");
    if (s->ramdisk)
        fdt_property_string(to, "ramdisk", s->wrong_names ? "nothing" : "ramdisk-1");
    fdt_end_node(to);
}

int bundle_make(void *to, int room, const struct bundle_spec *s)
{
    ASSERT(!fdt_create(to, room));
    fdt_finish_reservemap(to);
    fdt_begin_node(to, "");
    fdt_begin_node(to, "images");
    image_make(to, "kernel-1", s->kernel, s->kernel_size, s);
    image_make(to, "ramdisk-1", s->ramdisk, s->ramdisk_size, s);
    fdt_end_node(to);
    fdt_begin_node(to, "vms");
    if (!s->no_vms)
        fdt_property_string(to, "compatible", "duomo,vms-1");
    for (unsigned n = 0; n < (s->n_vms ? s->n_vms : 1); n++)
        vm_make(to, s, n);
    fdt_end_node(to);
    fdt_end_node(to);
    ASSERT(!fdt_finish(to));
    return (int)fdt_totalsize(to);
}

void kernel_make(u8 *to, u32 size, u64 text_offset, u64 image_size)
{
    static const u64 magic  = 0x5643534952ul;
    static const u32 magic2 = 0x05435352u;

    for (u32 i = 0; i < size; i++)
        to[i] = (u8)(i * 7 + i / 256);
    memcpy(to + 8, &text_offset, 8);
    memcpy(to + 16, &image_size, 8);
    memcpy(to + 48, &magic, 8);
    memcpy(to + 56, &magic2, 4);
}

// SPDX-License-Identifier: MIT
// Reading the bundle.
//
// In:     an address that the boot chain gave us, and whatever bytes stand there.
// Out:    vm_configs whose pointers and sizes lie within the bundle; or a line for the user.
// Always: nothing is believed before libfdt's full check of the structure, and no image before its
//         CRC was compared.
// Locks:  none; boot hart only.
#include "mon/bundle.h"

#include "dev/dt.h"
#include "dev/machine.h"
#include "lib/bits.h"
#include "lib/crc32.h"

#include <libfdt.h>
#include <string.h>

#define PARTITION_MAX 36
#define VLAN_MAX      4094

static const void *bundle;

// How much RAM there is from `at` on; 0: it is no RAM.
static u64 ram_behind(u64 at)
{
    for (unsigned i = 0; i < machine.n_ram; i++)
        if (range_contains(machine.ram[i].base, machine.ram[i].size, at, 1))
            return machine.ram[i].size - (at - machine.ram[i].base);
    return 0;
}

const char *bundle_open(u64 at)
{
    const void *fdt  = (const void *)at;
    u64         room = ram_behind(at);

    if (!at || room < sizeof(struct fdt_header))
        return "no bundle; give one with -kernel (`duomo pack` makes it)";
    if (!is_aligned(at, 8) || fdt_magic(fdt) != FDT_MAGIC)
        return "what was given with -kernel is no bundle; make one with `duomo pack`";
    if (fdt_totalsize(fdt) > room || fdt_check_full(fdt, fdt_totalsize(fdt)))
        return "the bundle is damaged; make it again with `duomo pack`";
    ram_reserve(at, fdt_totalsize(fdt));
    bundle = fdt;
    return NULL;
}

#define REMEDY "; make the bundle again with `duomo pack`"

// The two images of a VM, and what the user reads if one is wrong.
struct image_words {
    const char *property, *missing, *empty, *unsummed, *damaged;
};
static const struct image_words kernel_words = {
    "kernel",
    "its kernel is not in the bundle" REMEDY,
    "its kernel has no data" REMEDY,
    "its kernel has no CRC-32" REMEDY,
    "its kernel is damaged: the CRC is wrong" REMEDY,
};
static const struct image_words ramdisk_words = {
    "ramdisk",
    "its initrd is not in the bundle" REMEDY,
    "its initrd has no data" REMEDY,
    "its initrd has no CRC-32" REMEDY,
    "its initrd is damaged: the CRC is wrong" REMEDY,
};

static const char *image_check_crc(int node, const struct image *image,
                                   const struct image_words *words)
{
    int         hash = fdt_subnode_offset(bundle, node, "hash-1");
    const char *algo = hash >= 0 ? dt_string(bundle, hash, "algo") : NULL;
    u64         expected;

    if (!algo || strcmp(algo, "crc32") || !dt_number(bundle, hash, "value", &expected))
        return words->unsummed;
    return crc32(image->data, image->size) == expected ? NULL : words->damaged;
}

// Without `entry` it starts at its begin, without `mem-size` nothing is behind it.
static void placement_read(int node, struct image *image)
{
    image->placed   = dt_number(bundle, node, "load", &image->load);
    image->entry    = image->load;
    image->mem_size = image->size;
    (void)dt_number(bundle, node, "entry", &image->entry);
    (void)dt_number(bundle, node, "mem-size", &image->mem_size);
    image->mem_size = max_u64(image->mem_size, image->size);
}

// The image that a VM's property names.
static const char *image_find(int vm, const struct image_words *words, struct image *image)
{
    const char *name   = dt_string(bundle, vm, words->property);
    int         images = fdt_path_offset(bundle, "/images"), node, len;

    node = name && images >= 0 ? fdt_subnode_offset(bundle, images, name) : -1;
    if (node < 0)
        return words->missing;
    image->data = fdt_getprop(bundle, node, "data", &len);
    if (!image->data || len <= 0)
        return words->empty;
    image->size = (u64)len;
    placement_read(node, image);
    return image_check_crc(node, image, words);
}

// A text that may be left out, but if it is there must be one.
static const char *text_read(int vm, const char *property, const char *otherwise, const char **text)
{
    *text = fdt_getprop(bundle, vm, property, NULL) ? dt_string(bundle, vm, property) : otherwise;
    return *text ? NULL : "its command line (bootargs) or engine is no text" REMEDY;
}

// A property whose text is one of `words`, which end with NULL; the first is the default.
static bool word_read(int node, const char *property, const char *const *words, u32 *which)
{
    const char *text = dt_string(bundle, node, property);

    *which = 0;
    if (!fdt_getprop(bundle, node, property, NULL))
        return true;
    for (u32 i = 0; text && words[i]; i++)
        if (!strcmp(text, words[i])) {
            *which = i;
            return true;
        }
    return false;
}

static const char *words_read(int vm, struct vm_config *c)
{
    static const char *const        crash[]   = { "stop", "restart", NULL },
                             *const start[]   = { "boot", "hand", NULL },
                             *const console[] = { "yes", "no", "keyboard", NULL };
    static const enum console_use   uses[]    = { CONSOLE_YES, CONSOLE_NO, CONSOLE_KEYBOARD };
    u32                             on_crash, by_hand, use;

    if (!word_read(vm, "on-crash", crash, &on_crash))
        return "its on-crash is neither stop nor restart" REMEDY;
    if (!word_read(vm, "start", start, &by_hand))
        return "its start is neither boot nor hand" REMEDY;
    if (!word_read(vm, "console", console, &use))
        return "its console is neither yes, no nor keyboard" REMEDY;
    c->on_crash = on_crash ? CRASH_RESTART : CRASH_STOP;
    c->start    = !by_hand;
    c->console  = uses[use];
    return NULL;
}

// A number that may be left out.
static u64 number_read(int vm, const char *property, u64 otherwise)
{
    u64 value;

    return dt_number(bundle, vm, property, &value) ? value : otherwise;
}

static u32 number_read_u32(int vm, const char *property, u32 otherwise)
{
    return (u32)min_u64(number_read(vm, property, otherwise), UINT32_MAX);
}

static bool flag_read(int vm, const char *property)
{
    return fdt_getprop(bundle, vm, property, NULL);
}

static const char *disk_read(int vm, struct vm_config *c)
{
    if (!flag_read(vm, "disk-partition"))
        return NULL;
    c->disk_partition = dt_string(bundle, vm, "disk-partition");
    if (!c->disk_partition || !*c->disk_partition || strlen(c->disk_partition) > PARTITION_MAX)
        return "the partition that is its disk is no text of 1 to 36 bytes" REMEDY;
    c->disk_readonly = flag_read(vm, "disk-readonly");
    c->disk_requests = number_read_u32(vm, "disk-requests", 0);
    c->disk_bytes    = number_read(vm, "disk-bytes", 0);
    return NULL;
}

// An address with bit 0 of its first byte set is a group's (IEEE 802, 8.2.2).
static const char *net_read(int vm, struct vm_config *c)
{
    int       len;
    const u8 *mac = fdt_getprop(bundle, vm, "net-mac", &len);

    if (!mac)
        return NULL;
    if (len != sizeof c->net_mac || mac[0] & 1)
        return "the address of its network card (net-mac) is none of a single card" REMEDY;
    memcpy(c->net_mac, mac, sizeof c->net_mac);
    c->has_net      = true;
    c->net_isolated = flag_read(vm, "net-isolated");
    c->net_vlan     = number_read_u32(vm, "net-vlan", 0);
    c->net_rate     = number_read(vm, "net-rate", 0);
    return c->net_vlan > VLAN_MAX ? "its net-vlan is not between 1 and 4094; give such a one"
                                  : NULL;
}

static const char *config_read(int vm, struct vm_config *c)
{
    const char *why;

    c->name = fdt_get_name(bundle, vm, NULL);
    why     = text_read(vm, "bootargs", "", &c->bootargs);
    why     = why ? why : text_read(vm, "engine", "auto", &c->engine);
    if (why)
        return why;
    if (!dt_number(bundle, vm, "memory", &c->memory))
        return "it does not say how much memory" REMEDY;
    c->vcpus        = number_read_u32(vm, "vcpus", 1);
    c->shadow_pages = number_read_u32(vm, "shadow-pages", 0);
    c->weight       = number_read_u32(vm, "weight", 100);
    c->cap          = number_read_u32(vm, "cap", 0);
    c->watchdog     = number_read_u32(vm, "watchdog", 0);
    c->harts        = number_read(vm, "harts", ~0ul);
    c->restart_max  = number_read_u32(vm, "restart-max", ~0u);
    if (strlen(c->bootargs) > CMDLINE_MAX)
        return "its command line is longer than 2047 bytes; shorten it";
    c->has_vcons = flag_read(vm, "virtio-console");
    why          = words_read(vm, c);
    if (!why)
        why = disk_read(vm, c);
    if (!why)
        why = net_read(vm, c);
    if (!why)
        why = image_find(vm, &kernel_words, &c->kernel);
    if (!why && fdt_getprop(bundle, vm, "ramdisk", NULL))
        why = image_find(vm, &ramdisk_words, &c->ramdisk);
    return why;
}

bool bundle_stays(void)
{
    int         vms  = fdt_path_offset(bundle, "/vms");
    const char *then = vms < 0 ? NULL : dt_string(bundle, vms, "when-all-off");

    return then && !strcmp(then, "stay");
}

bool bundle_vm(unsigned index, struct vm_config *c, const char **why)
{
    int vms = fdt_path_offset(bundle, "/vms"), node;

    memset(c, 0, sizeof *c);
    if (vms < 0 || fdt_node_check_compatible(bundle, vms, "duomo,vms-1"))
        return false;
    fdt_for_each_subnode(node, bundle, vms) {
        if (index--)
            continue;
        *why = config_read(node, c);
        return true;
    }
    return false;
}

bool bundle_shows_all(void)
{
    int         vms  = fdt_path_offset(bundle, "/vms");
    const char *what = vms >= 0 ? dt_string(bundle, vms, "console-show") : NULL;

    return what && !strcmp(what, "all");
}

const void *bundle_place(void)
{
    return bundle;
}

// SPDX-License-Identifier: MIT
// The command `duomo show`.
//
// In:     a bundle, from anywhere.
// Out:    its machines and images, and whether the images are whole.
// Always: false, and so exit code 1, when the bundle is not one, an image is damaged or a machine
//         names an image that is not there. Everything is shown before that.

#define _POSIX_C_SOURCE 200809L

#include "bundle.h"
#include "commands.h"
#include "crc32.h"
#include "file.h"
#include "say.h"

#include <fcntl.h>
#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <string.h>

// A property's text without its terminator, or "" where there is none.
struct text {
    const char *s;
    size_t      length;
};

static struct text text_get(const void *fdt, int node, const char *name)
{
    int length;
    const char *s = fdt_getprop(fdt, node, name, &length);

    if (!s)
        return (struct text) { "", 0 };
    return (struct text) { s, strnlen(s, (size_t)length) };
}

// A property of one or two cells, or 0 where there is none.
static uint64_t number_get(const void *fdt, int node, const char *name)
{
    int length;
    const void *p = fdt_getprop(fdt, node, name, &length);

    if (p && length == sizeof(fdt32_t))
        return fdt32_ld(p);
    if (p && length == sizeof(fdt64_t))
        return fdt64_ld(p);
    return 0;
}

static void print(struct text t)
{
    print_text(t.s, t.length);
}

static bool image_is_whole(const void *fdt, int node, const void *data, int size)
{
    int hash = fdt_subnode_offset(fdt, node, "hash-1");

    return hash >= 0 && data && size > 0 && crc32_of(data, (size_t)size)
        == number_get(fdt, hash, "value");
}

// Where a program that is no Linux Image goes, which the monitor must be told.
static void placement_show(const void *fdt, int node)
{
    if (fdt_getprop(fdt, node, "load", NULL))
        printf("  load 0x%" PRIx64 "  entry 0x%" PRIx64 "  takes %s", number_get(fdt, node, "load"),
               number_get(fdt, node, "entry"), size_text(number_get(fdt, node, "mem-size")).s);
}

static bool image_show(const void *fdt, int node)
{
    const char *name = fdt_get_name(fdt, node, NULL);
    int size = 0;
    const void *data = fdt_getprop(fdt, node, "data", &size);
    bool whole = image_is_whole(fdt, node, data, size);

    printf("    ");
    print_text(name, strlen(name));
    printf("  ");
    print(text_get(fdt, node, "type"));
    printf("  %s", size_text(data ? (uint64_t)size : 0).s);
    placement_show(fdt, node);
    printf("  crc32 %s\n", whole ? "ok" : "bad");
    return whole;
}

enum format { SIZE, NUMBER, PERCENT, BITS, TEXT, IMAGE, MAC, FLAG };

// What a machine's node may have. The first are in every bundle.
static const struct {
    const char *name;
    enum format format;
    bool        needed;
} properties[] = {
    { "memory", SIZE, true },
    { "vcpus", NUMBER, true },
    { "kernel", IMAGE, true },
    { "ramdisk", IMAGE, false },
    { "bootargs", TEXT, false },
    { "engine", TEXT, false },
    { "weight", NUMBER, false },
    { "cap", PERCENT, false },
    { "watchdog", NUMBER, false },
    { "harts", BITS, false },
    { "console", TEXT, false },
    { "on-crash", TEXT, false },
    { "restart-max", NUMBER, false },
    { "start", TEXT, false },
    { "shadow-pages", NUMBER, false },
    { "disk-partition", TEXT, false },
    { "disk-readonly", FLAG, false },
    { "disk-requests", NUMBER, false },
    { "disk-bytes", SIZE, false },
    { "net-mac", MAC, false },
    { "net-isolated", FLAG, false },
    { "net-vlan", NUMBER, false },
    { "net-rate", SIZE, false },
    { "virtio-console", FLAG, false },
};

static void bits_print(uint64_t bits)
{
    const char *before = "";

    for (int i = 0; i < 64; i++)
        if (bits >> i & 1) {
            printf("%s%d", before, i);
            before = " ";
        }
}

static void mac_print(const void *fdt, int vm, const char *name)
{
    int length;
    const uint8_t *mac = fdt_getprop(fdt, vm, name, &length);

    for (int i = 0; mac && i < length && i < 6; i++)
        printf("%s%02x", i ? ":" : "", mac[i]);
}

// The image that a machine names, and whether the bundle has it.
static bool reference_print(const void *fdt, struct text t)
{
    int images = fdt_path_offset(fdt, "/images");

    print(t);
    if (images >= 0 && fdt_subnode_offset_namelen(fdt, images, t.s, (int)t.length) >= 0)
        return true;
    printf("\n    %-14s (the bundle has no such image)", "");
    return false;
}

static bool property_print(const void *fdt, int vm, const char *name, enum format format)
{
    switch (format) {
    case SIZE:    printf("%s", size_text(number_get(fdt, vm, name)).s); return true;
    case NUMBER:  printf("%" PRIu64, number_get(fdt, vm, name)); return true;
    case PERCENT: printf("%" PRIu64 " %%", number_get(fdt, vm, name)); return true;
    case BITS:    bits_print(number_get(fdt, vm, name)); return true;
    case TEXT:    print(text_get(fdt, vm, name)); return true;
    case MAC:     mac_print(fdt, vm, name); return true;
    case FLAG:    printf("yes"); return true;
    case IMAGE:   return reference_print(fdt, text_get(fdt, vm, name));
    }
    return false;
}

static bool vm_show(const void *fdt, int vm)
{
    const char *name = fdt_get_name(fdt, vm, NULL);
    bool ok = true;

    printf("vm ");
    print_text(name, strlen(name));
    printf("\n");
    for (size_t i = 0; i < sizeof properties / sizeof properties[0]; i++) {
        if (!properties[i].needed && !fdt_getprop(fdt, vm, properties[i].name, NULL))
            continue;
        printf("    %-14s ", properties[i].name);
        ok = property_print(fdt, vm, properties[i].name, properties[i].format) && ok;
        printf("\n");
    }
    return ok;
}

static bool nodes_show(const void *fdt, int parent, bool (*show)(const void *fdt, int node))
{
    bool ok = true;
    int node;

    fdt_for_each_subnode(node, fdt, parent)
        ok = show(fdt, node) && ok;
    return ok;
}

static bool bundle_show(const struct blob *b, const char *path)
{
    int images, vms;
    bool ok;

    if (b->size < sizeof(struct fdt_header) || fdt_check_full(b->data, b->size))
        return wrong(path, "not a FIT image, or a damaged one; give what 'duomo pack' wrote");
    images = fdt_path_offset(b->data, "/images");
    vms = fdt_path_offset(b->data, "/vms");
    if (images < 0 || vms < 0 || fdt_node_check_compatible(b->data, vms, BUNDLE_COMPATIBLE))
        return wrong(path, "a FIT image, but no bundle; give what 'duomo pack' wrote");

    if (fdt_getprop(b->data, vms, "when-all-off", NULL)) {
        printf("when-all-off ");
        print(text_get(b->data, vms, "when-all-off"));
        printf("\n");
    }
    ok = nodes_show(b->data, vms, vm_show);
    printf("images\n");
    ok = nodes_show(b->data, images, image_show) && ok;
    return ok || wrong(path, "the bundle is damaged; pack it again");
}

bool show_run(const struct command *c, char **args)
{
    struct taken t = { 0 };
    struct place at;
    struct blob b;
    bool ok;

    if (!options_take(c, args, &t))
        return false;
    if (!t.operand)
        return wrong(c->name, "no bundle is named; write duomo show FILE");
    at = (struct place) { .subject = t.operand };
    if (!blob_read(&b, AT_FDCWD, t.operand, &at, INT_MAX))
        return false;
    ok = bundle_show(&b, t.operand);
    blob_free(&b);
    return ok;
}

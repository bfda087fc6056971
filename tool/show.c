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

static void field_print(const char *label, struct text t)
{
    printf("    %-12s ", label);
    print_text(t.s, t.length);
    printf("\n");
}

static bool image_is_whole(const void *fdt, int node, const void *data, int size)
{
    int hash = fdt_subnode_offset(fdt, node, "hash-1");

    return hash >= 0 && data && size > 0 && crc32_of(data, (size_t)size)
        == number_get(fdt, hash, "value");
}

static bool image_show(const void *fdt, int node)
{
    const char *name = fdt_get_name(fdt, node, NULL);
    int size = 0;
    const void *data = fdt_getprop(fdt, node, "data", &size);
    bool whole = image_is_whole(fdt, node, data, size);
    struct text type = text_get(fdt, node, "type");

    printf("    ");
    print_text(name, strlen(name));
    printf("  ");
    print_text(type.s, type.length);
    printf("  %s  crc32 %s\n", size_text(data ? (uint64_t)size : 0).s, whole ? "ok" : "bad");
    return whole;
}

// The image that a machine names, and whether the bundle has it.
static bool reference_show(const void *fdt, int vm, const char *label)
{
    struct text t = text_get(fdt, vm, label);
    int images = fdt_path_offset(fdt, "/images");

    field_print(label, t);
    if (images >= 0 && fdt_subnode_offset_namelen(fdt, images, t.s, (int)t.length) >= 0)
        return true;
    printf("    %-12s (the bundle has no such image)\n", "");
    return false;
}

static bool vm_show(const void *fdt, int vm)
{
    const char *name = fdt_get_name(fdt, vm, NULL);
    uint64_t shadow_pages = number_get(fdt, vm, "shadow-pages");
    bool ok;

    printf("vm ");
    print_text(name, strlen(name));
    printf("\n    %-12s %s\n", "memory", size_text(number_get(fdt, vm, "memory")).s);
    printf("    %-12s %" PRIu64 "\n", "vcpus", number_get(fdt, vm, "vcpus"));
    ok = reference_show(fdt, vm, "kernel");
    if (fdt_getprop(fdt, vm, "ramdisk", NULL))
        ok = reference_show(fdt, vm, "ramdisk") && ok;
    field_print("bootargs", text_get(fdt, vm, "bootargs"));
    field_print("engine", text_get(fdt, vm, "engine"));
    if (shadow_pages)
        printf("    %-12s %" PRIu64 "\n", "shadow-pages", shadow_pages);
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

    ok = nodes_show(b->data, vms, vm_show);
    printf("images\n");
    ok = nodes_show(b->data, images, image_show) && ok;
    return ok || wrong(path, "the bundle is damaged; pack it again");
}

bool show_run(const struct command *c, char **args)
{
    const char *path = NULL;
    struct blob b;
    bool ok;

    if (!options_take(c, args, NULL, &path))
        return false;
    if (!path)
        return wrong(c->name, "no bundle is named; write duomo show FILE");
    if (!blob_read(&b, path))
        return false;
    ok = bundle_show(&b, path);
    blob_free(&b);
    return ok;
}

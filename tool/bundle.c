// SPDX-License-Identifier: MIT
// In:     descriptions of virtual machines, and the files they name.
// Out:    one FIT image:
//
//             / images  kernel-NAME   data, type, arch, os, compression, hash-1 { algo, value }
//                       ramdisk-NAME  likewise
//               vms     compatible = "duomo,vms-1"
//                       NAME          memory, vcpus, kernel, ramdisk, bootargs, engine
//
// Always: every kernel and initrd in it was checked to fit its machine's memory. Data is embedded,
//         so the bundle means the same at any 8-byte-aligned address. Nothing is written before
//         everything has been checked.

#include "bundle.h"

#include "crc32.h"
#include "file.h"
#include "image.h"
#include "say.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Beside kernel and initrd the memory must have room for the device tree, and for moving both to
// the addresses that the boot protocol wants.
#define ROOM_BESIDE (2ull << 20)

// What the nodes of one machine take at most, without its data.
enum { NODES_SIZE_MAX = 4096 + BOOTARGS_LENGTH_MAX };

struct guest {
    const struct vm_desc *vm;
    struct blob           kernel;
    struct blob           initrd;   // .data == NULL when there is none
};

// A device tree in the making. The first error stays and makes all later steps void.
struct tree {
    struct blob blob;
    int         error;
};

struct image_kind {
    const char *type;
    const char *description;
};

static const struct image_kind kernel_kind  = { "kernel", "Kernel" };
static const struct image_kind ramdisk_kind = { "ramdisk", "Initial RAM disk" };

static void node_open(struct tree *t, const char *name)
{
    if (!t->error)
        t->error = fdt_begin_node(t->blob.data, name);
}

static void node_close(struct tree *t)
{
    if (!t->error)
        t->error = fdt_end_node(t->blob.data);
}

static void put_bytes(struct tree *t, const char *name, const struct blob *b)
{
    if (!t->error)
        t->error = fdt_property(t->blob.data, name, b->data, (int)b->size);
}

static void put_text(struct tree *t, const char *name, const char *text)
{
    if (!t->error)
        t->error = fdt_property_string(t->blob.data, name, text);
}

static void put_u32(struct tree *t, const char *name, uint32_t value)
{
    if (!t->error)
        t->error = fdt_property_u32(t->blob.data, name, value);
}

static void put_u64(struct tree *t, const char *name, uint64_t value)
{
    if (!t->error)
        t->error = fdt_property_u64(t->blob.data, name, value);
}

// The name of an image: what it is and whose it is.
struct image_name {
    char s[sizeof "ramdisk-" + NAME_LENGTH_MAX];
};

static struct image_name image_name(const struct image_kind *kind, const struct vm_desc *vm)
{
    struct image_name name;

    snprintf(name.s, sizeof name.s, "%s-%s", kind->type, vm->name);
    return name;
}

static void put_image(struct tree *t, const struct image_kind *kind, const struct vm_desc *vm,
                      const struct blob *b)
{
    node_open(t, image_name(kind, vm).s);
    put_text(t, "description", kind->description);
    put_bytes(t, "data", b);
    put_text(t, "type", kind->type);
    put_text(t, "arch", "riscv");
    put_text(t, "os", "linux");
    put_text(t, "compression", "none");
    node_open(t, "hash-1");
    put_text(t, "algo", "crc32");
    put_u32(t, "value", crc32_of(b->data, b->size));
    node_close(t);
    node_close(t);
}

static void put_vm(struct tree *t, const struct guest *g)
{
    const struct vm_desc *vm = g->vm;

    node_open(t, vm->name);
    put_u64(t, "memory", vm->memory);
    put_u32(t, "vcpus", vm->vcpus);
    put_text(t, "kernel", image_name(&kernel_kind, vm).s);
    if (g->initrd.data)
        put_text(t, "ramdisk", image_name(&ramdisk_kind, vm).s);
    put_text(t, "bootargs", vm->bootargs);
    put_text(t, "engine", vm->engine);
    if (vm->shadow_pages)
        put_u32(t, "shadow-pages", vm->shadow_pages);
    node_close(t);
}

static void put_images(struct tree *t, const struct guest *g)
{
    put_image(t, &kernel_kind, g->vm, &g->kernel);
    if (g->initrd.data)
        put_image(t, &ramdisk_kind, g->vm, &g->initrd);
}

static void put_root(struct tree *t, const struct guest *guests, size_t n)
{
    node_open(t, "");
    put_text(t, "description", "Duomo bundle");
    put_u32(t, "#address-cells", 1);
    node_open(t, "images");
    for (size_t i = 0; i < n; i++)
        put_images(t, &guests[i]);
    node_close(t);
    node_open(t, "vms");
    put_text(t, "compatible", BUNDLE_COMPATIBLE);
    for (size_t i = 0; i < n; i++)
        put_vm(t, &guests[i]);
    node_close(t);
    node_close(t);
}

static size_t tree_size_max(const struct guest *guests, size_t n)
{
    size_t size = NODES_SIZE_MAX;

    for (size_t i = 0; i < n; i++)
        size += NODES_SIZE_MAX + guests[i].kernel.size + guests[i].initrd.size;
    return size;
}

static bool tree_make(struct tree *t, const struct guest *guests, size_t n, const char *out)
{
    size_t size = tree_size_max(guests, n);

    *t = (struct tree) { 0 };
    if (size > INT32_MAX)
        return wrong(out, "the images have %s together; a bundle holds at most 2 GiB",
                     size_text(size).s);
    t->blob.data = malloc(size);
    if (!t->blob.data)
        return wrong(out, "no memory for %zu bytes; free some", size);

    t->error = fdt_create(t->blob.data, (int)size);
    if (!t->error)
        t->error = fdt_finish_reservemap(t->blob.data);
    put_root(t, guests, n);
    if (!t->error)
        t->error = fdt_finish(t->blob.data);
    if (t->error)
        return wrong(out, "the bundle cannot be built (%s); this is a bug in duomo",
                     fdt_strerror(t->error));
    t->blob.size = fdt_totalsize(t->blob.data);
    return true;
}

// The smallest memory, in MiB and even, that holds so much.
static unsigned long long memory_for(uint64_t bytes)
{
    return ((bytes + (2ull << 20) - 1) >> 21) * 2;
}

static bool kernel_fits(const struct vm_desc *vm, const struct kernel_needs *needs)
{
    if (needs->size <= vm->memory && needs->text_offset <= vm->memory - needs->size)
        return true;
    if (needs->size > INT64_MAX || needs->text_offset > INT64_MAX - needs->size)
        return wrong(vm->kernel, "its header asks for an impossible size; fetch or build it again");
    return wrong(vm->kernel, "the kernel takes %s of memory and '%s' has %s; "
                 "give it at least %lluM",
                 size_text(needs->text_offset + needs->size).s, vm->name, size_text(vm->memory).s,
                 memory_for(needs->text_offset + needs->size));
}

static bool initrd_fits(const struct vm_desc *vm, const struct kernel_needs *needs,
                        uint64_t initrd_size)
{
    uint64_t kernel_end = needs->text_offset + needs->size;

    if (initrd_size + ROOM_BESIDE <= vm->memory - kernel_end)
        return true;
    return wrong(vm->initrd, "the initrd (%s) does not fit beside the kernel (%s) into '%s' with "
                 "%s; give it at least %lluM", size_text(initrd_size).s, size_text(kernel_end).s,
                 vm->name, size_text(vm->memory).s,
                 memory_for(kernel_end + initrd_size + ROOM_BESIDE));
}

static bool out_is_apart(const char *out, const struct vm_desc *vm)
{
    if (path_is_same(out, vm->kernel))
        return wrong(out, "this is the kernel itself; name another file for the bundle");
    if (vm->initrd && path_is_same(out, vm->initrd))
        return wrong(out, "this is the initrd itself; name another file for the bundle");
    return true;
}

static bool guest_load(struct guest *g, const struct vm_desc *vm, const char *out)
{
    struct kernel_needs needs;

    g->vm = vm;
    return blob_read(&g->kernel, vm->kernel)
        && kernel_check(&g->kernel, vm->kernel, &needs)
        && kernel_fits(vm, &needs)
        && (!vm->initrd || (blob_read(&g->initrd, vm->initrd)
                            && initrd_fits(vm, &needs, g->initrd.size)))
        && out_is_apart(out, vm);
}

static bool guests_load(struct guest *guests, const struct vm_desc *vms, size_t n, const char *out)
{
    for (size_t i = 0; i < n; i++)
        if (!guest_load(&guests[i], &vms[i], out))
            return false;
    return true;
}

bool bundle_pack(const struct vm_desc *vms, size_t n, const char *out)
{
    struct guest *guests = calloc(n, sizeof *guests);
    struct tree tree = { 0 };
    bool ok;

    if (!guests)
        return wrong(out, "no memory for %zu machines; free some", n);
    ok = guests_load(guests, vms, n, out)
      && tree_make(&tree, guests, n, out)
      && blob_write(&tree.blob, out);

    for (size_t i = 0; i < n; i++) {
        blob_free(&guests[i].kernel);
        blob_free(&guests[i].initrd);
    }
    blob_free(&tree.blob);
    free(guests);
    return ok;
}

// SPDX-License-Identifier: MIT
// In:     descriptions of virtual machines, and the files they name.
// Out:    one FIT image:
//
//             / images  kernel-NAME   data, type, arch, os, compression, hash-1 { algo, value },
//                                     load, entry, mem-size where the kernel is no Linux Image
//                       ramdisk-NAME  likewise
//               vms     compatible = "duomo,vms-1", when-all-off
//                       NAME          memory, vcpus, kernel, ramdisk, bootargs, engine, and what
//                                     is not as it is by default: weight, cap, watchdog, harts,
//                                     console, on-crash, restart-max, start, shadow-pages,
//                                     disk-*, net-*, virtio-console
//
// Always: every kernel and initrd in it was checked to fit its machine's memory. What several
//         machines boot is in it once, by the first one's name. Data is embedded, so the bundle
//         means the same at any 8-byte-aligned address. Nothing is made before everything has been
//         checked.

#include "bundle.h"

#include "crc32.h"
#include "file.h"
#include "kernel.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Beside kernel and initrd the memory must have room for the device tree, and for moving both to
// the addresses that the boot protocol wants.
#define ROOM_BESIDE (2ull << 20)

// What the nodes of one machine take at most, without its data.
enum { NODES_SIZE_MAX = 4096 + BOOTARGS_LENGTH_MAX };

struct image_kind {
    const char *type;
    const char *description;
};

static const struct image_kind kernel_kind  = { "kernel", "Kernel" };
static const struct image_kind ramdisk_kind = { "ramdisk", "Initial RAM disk" };

struct image {
    const struct image_kind *kind;
    const char              *first;     // the machine that named it first
    struct kernel            kernel;    // of an initrd: only the blob
};

struct guest {
    const struct vm_desc *vm;
    const struct image   *kernel;
    const struct image   *initrd;       // or NULL
};

// All that goes into a bundle.
struct load {
    const struct config *config;
    struct guest         guests[VMS_MAX];
    struct image         images[2 * VMS_MAX];
    unsigned             n_images;
};

// A device tree in the making. The first error stays and makes all later steps void.
struct tree {
    struct blob blob;
    int         error;
};

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

// The name of an image: what it is and whose it was first.
struct image_name {
    char s[sizeof "ramdisk-" + NAME_LENGTH_MAX];
};

static struct image_name image_name(const struct image *image)
{
    struct image_name name;

    snprintf(name.s, sizeof name.s, "%s-%s", image->kind->type, image->first);
    return name;
}

static void put_image(struct tree *t, const struct image *image)
{
    const struct kernel *k = &image->kernel;

    node_open(t, image_name(image).s);
    put_text(t, "description", image->kind->description);
    put_bytes(t, "data", &k->blob);
    put_text(t, "type", image->kind->type);
    put_text(t, "arch", "riscv");
    put_text(t, "os", "linux");
    put_text(t, "compression", "none");
    if (k->kind != KERNEL_IMAGE) {
        put_u64(t, "load", GUEST_RAM + k->offset);
        put_u64(t, "entry", k->entry);
        put_u64(t, "mem-size", k->size);
    }
    node_open(t, "hash-1");
    put_text(t, "algo", "crc32");
    put_u32(t, "value", crc32_of(k->blob.data, k->blob.size));
    node_close(t);
    node_close(t);
}

static void put_number_unless(struct tree *t, const char *name, uint64_t value, uint64_t otherwise)
{
    if (value != otherwise)
        put_u32(t, name, (uint32_t)value);
}

static void put_text_unless(struct tree *t, const char *name, const char *text,
                            const char *otherwise)
{
    if (strcmp(text, otherwise) != 0)
        put_text(t, name, text);
}

static void put_u64_unless_zero(struct tree *t, const char *name, uint64_t value)
{
    if (value)
        put_u64(t, name, value);
}

static void put_flag(struct tree *t, const char *name, bool is_set)
{
    if (is_set)
        put_bytes(t, name, &(struct blob) { 0 });
}

static void put_disk(struct tree *t, const struct vm_desc *vm)
{
    if (!vm->partition)
        return;
    put_text(t, "disk-partition", vm->partition);
    put_flag(t, "disk-readonly", disk_is_readonly(vm));
    put_number_unless(t, "disk-requests", vm->disk_requests, 0);
    put_u64_unless_zero(t, "disk-bytes", vm->disk_bytes);
}

static void put_network(struct tree *t, const struct vm_desc *vm)
{
    uint8_t mac[6];

    if (!vm_has_network(vm))
        return;
    for (int i = 0; i < 6; i++)
        mac[i] = (uint8_t)(vm_mac(vm) >> (40 - 8 * i));
    put_bytes(t, "net-mac", &(struct blob) { mac, sizeof mac });
    put_flag(t, "net-isolated", strcmp(vm->isolated, "yes") == 0);
    put_number_unless(t, "net-vlan", vm->vlan, 0);
    put_u64_unless_zero(t, "net-rate", vm->rate);
}

static void put_vm(struct tree *t, const struct guest *g)
{
    const struct vm_desc *vm = g->vm, *d = &vm_desc_defaults;

    node_open(t, vm->name);
    put_u64(t, "memory", vm->memory);
    put_u32(t, "vcpus", (uint32_t)vm->vcpus);
    put_text(t, "kernel", image_name(g->kernel).s);
    if (g->initrd)
        put_text(t, "ramdisk", image_name(g->initrd).s);
    put_text(t, "bootargs", vm->bootargs);
    put_text(t, "engine", vm->engine);
    put_number_unless(t, "weight", vm->weight, d->weight);
    put_number_unless(t, "cap", vm->cap, 0);
    put_number_unless(t, "watchdog", vm->watchdog, 0);
    if (vm->harts)
        put_u64(t, "harts", vm->harts);
    put_text_unless(t, "console", vm->console, d->console);
    put_text_unless(t, "on-crash", vm->on_crash, d->on_crash);
    put_number_unless(t, "restart-max", vm->restart_max, 0);
    put_text_unless(t, "start", vm->start, d->start);
    put_number_unless(t, "shadow-pages", vm->shadow_pages, 0);
    put_disk(t, vm);
    put_network(t, vm);
    put_flag(t, "virtio-console", strcmp(vm->virtio_console, "yes") == 0);
    node_close(t);
}

static void put_root(struct tree *t, const struct load *l)
{
    node_open(t, "");
    put_text(t, "description", "Duomo bundle");
    put_u32(t, "#address-cells", 1);
    node_open(t, "images");
    for (unsigned i = 0; i < l->n_images; i++)
        put_image(t, &l->images[i]);
    node_close(t);
    node_open(t, "vms");
    put_text(t, "compatible", BUNDLE_COMPATIBLE);
    put_text_unless(t, "when-all-off", l->config->machine.when_all_off, "power-off");
    for (unsigned i = 0; i < l->config->n; i++)
        put_vm(t, &l->guests[i]);
    node_close(t);
    node_close(t);
}

static size_t tree_size_max(const struct load *l)
{
    size_t size = NODES_SIZE_MAX * (1 + (size_t)l->config->n);

    for (unsigned i = 0; i < l->n_images; i++)
        size += NODES_SIZE_MAX + l->images[i].kernel.blob.size;
    return size;
}

static bool tree_make(struct tree *t, const struct load *l)
{
    size_t size = tree_size_max(l);

    *t = (struct tree) { 0 };
    if (size > INT32_MAX)
        return wrong("bundle", "the images have %s together; a bundle holds at most 2 GiB",
                     size_text(size).s);
    t->blob.data = malloc(size);
    if (!t->blob.data)
        return wrong("bundle", "no memory for %zu bytes; free some", size);

    t->error = fdt_create(t->blob.data, (int)size);
    if (!t->error)
        t->error = fdt_finish_reservemap(t->blob.data);
    put_root(t, l);
    if (!t->error)
        t->error = fdt_finish(t->blob.data);
    if (t->error)
        return wrong("bundle", "it cannot be built (%s); this is a bug in duomo",
                     fdt_strerror(t->error));
    t->blob.size = fdt_totalsize(t->blob.data);
    return true;
}

// The smallest memory, in MiB and even, that holds so much.
static unsigned long long memory_for(uint64_t bytes)
{
    return ((bytes + (2ull << 20) - 1) >> 21) * 2;
}

static bool kernel_fits(const struct vm_desc *vm, const struct kernel *k, const struct place *at)
{
    if (k->size <= vm->memory && k->offset <= vm->memory - k->size)
        return true;
    if (k->size > INT64_MAX || k->offset > INT64_MAX - k->size)
        return wrong_at(at, "its header asks for an impossible size; fetch or build it again");
    return wrong_at(at, "the kernel takes %s of memory and '%s' has %s; give it at least %lluM",
                    size_text(k->offset + k->size).s, vm->name, size_text(vm->memory).s,
                    memory_for(k->offset + k->size));
}

static bool initrd_fits(const struct vm_desc *vm, const struct kernel *k, uint64_t initrd_size,
                        const struct place *at)
{
    uint64_t kernel_end = k->offset + k->size;

    if (initrd_size + ROOM_BESIDE <= vm->memory - kernel_end)
        return true;
    return wrong_at(at, "the initrd (%s) does not fit beside the kernel (%s) into '%s' with %s; "
                    "give it at least %lluM", size_text(initrd_size).s, size_text(kernel_end).s,
                    vm->name, size_text(vm->memory).s,
                    memory_for(kernel_end + initrd_size + ROOM_BESIDE));
}

static bool images_are_same(const struct image *a, const struct image *b)
{
    const struct kernel *x = &a->kernel, *y = &b->kernel;

    return a->kind == b->kind && x->kind == y->kind && x->offset == y->offset && x->size == y->size
        && x->entry == y->entry && x->blob.size == y->blob.size
        && memcmp(x->blob.data, y->blob.data, x->blob.size) == 0;
}

// Takes an image over. One that is there already is taken instead.
static const struct image *image_add(struct load *l, struct image image)
{
    for (unsigned i = 0; i < l->n_images; i++)
        if (images_are_same(&l->images[i], &image)) {
            blob_free(&image.kernel.blob);
            return &l->images[i];
        }
    l->images[l->n_images] = image;
    return &l->images[l->n_images++];
}

static bool kernel_load(struct load *l, struct guest *g)
{
    const struct vm_desc *vm = g->vm;
    struct place at = vm_place(l->config, vm, VM_KERNEL, vm->kernel);
    struct image image = { .kind = &kernel_kind, .first = vm->name };
    struct blob file;

    if (!blob_read(&file, l->config->dir, vm->kernel, &at, BLOB_SIZE_MAX)
        || !kernel_make(&image.kernel, &file, &at, vm->load))
        return false;
    g->kernel = image_add(l, image);
    if (!vm->load || g->kernel->kernel.kind == KERNEL_RAW)
        return true;
    at = vm_place(l->config, vm, VM_LOAD, "load");
    return wrong_at(&at, "this is for a raw program, and %s says itself where it goes; "
                    "leave it out", vm->kernel);
}

static bool initrd_load(struct load *l, struct guest *g)
{
    const struct vm_desc *vm = g->vm;
    struct place at = vm_place(l->config, vm, VM_INITRD, vm->initrd);
    struct image image = { .kind = &ramdisk_kind, .first = vm->name };

    if (!blob_read(&image.kernel.blob, l->config->dir, vm->initrd, &at, BLOB_SIZE_MAX))
        return false;
    g->initrd = image_add(l, image);
    return true;
}

// What has a mistake of its own has no memory to be measured against.
static bool guest_fits(const struct load *l, const struct guest *g)
{
    const struct vm_desc *vm = g->vm;
    struct place kernel_at = vm_place(l->config, vm, VM_KERNEL, vm->kernel);
    struct place initrd_at = vm_place(l->config, vm, VM_INITRD, vm->initrd);

    if (vm->broken || !vm->name)
        return true;
    return kernel_fits(vm, &g->kernel->kernel, &kernel_at)
        && (!g->initrd || initrd_fits(vm, &g->kernel->kernel, g->initrd->kernel.blob.size,
                                      &initrd_at));
}

static bool out_is_apart(const char *out, const struct load *l, const struct vm_desc *vm)
{
    if (path_is_same(out, l->config->dir, vm->kernel))
        return wrong(out, "this is the kernel itself; name another file for the bundle");
    if (vm->initrd && path_is_same(out, l->config->dir, vm->initrd))
        return wrong(out, "this is the initrd itself; name another file for the bundle");
    return true;
}

static bool guest_load(struct load *l, struct guest *g, const char *out)
{
    const struct vm_desc *vm = g->vm;
    bool kernel_ok = vm->kernel && kernel_load(l, g);
    bool initrd_ok = !vm->initrd || initrd_load(l, g);

    return kernel_ok && initrd_ok && guest_fits(l, g) && (!out || out_is_apart(out, l, vm));
}

static void load_free(struct load *l)
{
    for (unsigned i = 0; i < l->n_images; i++)
        blob_free(&l->images[i].kernel.blob);
    free(l);
}

// NULL: a mistake has been told.
static struct load *load_make(const struct config *c, const char *out)
{
    struct load *l = calloc(1, sizeof *l);
    bool ok = true;

    if (!l) {
        wrong("bundle", "no memory for %u machines; free some", c->n);
        return NULL;
    }
    l->config = c;
    for (unsigned i = 0; i < c->n; i++) {
        l->guests[i].vm = &c->vms[i];
        ok = guest_load(l, &l->guests[i], out) && ok;
    }
    if (!ok)
        load_free(l);
    return ok ? l : NULL;
}

bool bundle_check(const struct config *c)
{
    struct load *l = load_make(c, NULL);

    if (l)
        load_free(l);
    return l;
}

bool bundle_make(const struct config *c, const char *out, struct blob *bundle)
{
    struct load *l = load_make(c, out);
    struct tree tree = { 0 };
    bool ok;

    if (!l)
        return false;
    ok = tree_make(&tree, l);
    load_free(l);
    if (!ok)
        blob_free(&tree.blob);
    *bundle = tree.blob;
    return ok;
}

// SPDX-License-Identifier: MIT
// Fuzzes the readers of the bundle and of the machine's device tree: bytes are a tree, or are
// changes to a good one; what is accepted is built and started.
#include "bytes.h"
#include "dev/machine.h"
#include "lib/bits.h"
#include "lib/panic.h"
#include "mon/build.h"
#include "mon/life.h"
#include "rig/net.h"
#include "rig/rig.h"
#include "rig/trees.h"

#define RAM (64 * MIB)
#define AT  (8 * MIB)

static u8 *ram;
static u8  tree[8192] __attribute__((aligned(8))), good[65536] __attribute__((aligned(8))),
    kernel[300];
static size_t good_size;

static void prepare(void)
{
    static const u8    mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };
    struct bundle_spec s = { .memory       = 16 * MIB,
                             .bootargs     = "quiet",
                             .engine       = "auto",
                             .vcpus        = 1,
                             .shadow_pages = 64,
                             .mac          = mac,
                             .mac_size     = sizeof mac,
                             .vlan         = 5,
                             .vcons        = true,
                             .kernel       = kernel,
                             .ramdisk      = kernel + 100,
                             .kernel_size  = sizeof kernel,
                             .ramdisk_size = 40 };

    ram = ram_make(RAM);
    kernel_make(kernel, sizeof kernel, 2 * MIB, 3 * MIB);
    good_size = (size_t)bundle_make(good, sizeof good, &s);
}

// Changes of single bytes, where the bytes say.
static void bundle_change(struct bytes *b)
{
    memcpy(ram + AT, good, good_size);
    while (b->left > 2) {
        size_t at = bytes_take(b, 2) % good_size;

        ram[AT + at] = (u8)bytes_take(b, 1);
    }
}

// To start it takes long: all of its memory is cleared.
static void vm_try(const struct vm_config *c, bool look_only)
{
    struct vm *vm;

    ASSERT(range_contains((u64)ram, RAM, (u64)c->kernel.data, c->kernel.size));
    ASSERT(!c->ramdisk.data ||
           range_contains((u64)ram, RAM, (u64)c->ramdisk.data, c->ramdisk.size));
    ASSERT(strlen(c->bootargs) <= 2047);
    if (look_only || vm_build(c, &vm))
        return;
    life_adopt(vm);
    vm_start(vm);
    while (vm->state == VM_STOPPED)
        vm->on_end(vm);
    for (u32 i = 0; i < vm->n_vcpus; i++)
        vcpu_reset(vm->vcpus[i]);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct bytes     b = { data, size };
    struct vm_config c;
    const char      *why;

    if (!ram)
        prepare();
    bench_reset();
    machine_forget();
    switch_forget();
    host_tree_make(tree, sizeof tree, NULL);
    ASSERT(!machine_read(tree));
    u64 how = bytes_take(&b, 1);

    if (how % 8 == 0 && b.left)
        memcpy(ram + AT, b.at, b.left);
    else
        bundle_change(&b);
    if (bundle_open((u64)ram + AT))
        return 0;
    for (unsigned i = 0; i < 3 && bundle_vm(i, &c, &why); i++)
        if (!why)
            vm_try(&c, how & 0x38);
    return 0;
}

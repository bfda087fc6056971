// SPDX-License-Identifier: MIT
// Making a virtual machine.
//
// In:     what the bundle says of it.
// Out:    a struct vm with RAM, shadow pools, vCPUs and the board's devices.
// Always: all that can fail is checked before the VM is listed; a VM that cannot be made whole is
//         not made.  Its memory is three blocks: [vm, vcpus, devices]; shadow pools; RAM.
// Locks:  none; boot hart only.
#include "mon/build.h"

#include "dev/clock.h"
#include "dev/machine.h"
#include "lib/words.h"
#include "mon/console.h"
#include "mon/guest_dt.h"
#include "vdev/board.h"
#include "vm/engine.h"
#include "vm/gmem.h"
#include "vm/sched.h"

#include <string.h>

#define MEMORY_STEP (2 * MIB)
#define MEMORY_MIN  (16 * MIB)
#define MEMORY_MAX  (1ul << 37)
#define VCPUS_MAX   1
#define DT_SIZE     (64 * KIB)

// The header of a RISC-V Linux kernel image (Linux,
// Documentation/arch/riscv/boot-image-header.rst).
struct kernel_header {
    u32 code[2];
    u64 text_offset, image_size, flags;
    u32 version, reserved1;
    u64 reserved2;
    u64 magic;  // "RISCV\0\0\0"
    u32 magic2; // "RSC\x05"
    u32 reserved3;
};
#define KERNEL_MAGIC  0x5643534952ul
#define KERNEL_MAGIC2 0x05435352u

// Where things go in the VM's RAM, from its base.
struct layout {
    u64 kernel, ramdisk, dt;
};

struct built {
    struct vm        vm; // must be first
    struct vm_config config;
    struct layout    layout;
    struct vcpu     *vcpu_list[VCPUS_MAX];
    u64              filled; // how far vm_boot_step() is
};

static struct built *built_of(struct vm *vm)
{
    return CONTAINER_OF(vm, struct built, vm);
}

static const char *layout_make(const struct vm_config *c, struct layout *l)
{
    struct kernel_header h;
    u64                  kernel_end;

    if (c->kernel.size < sizeof h)
        return "its kernel is too short to be one; give a RISC-V Linux Image";
    memcpy(&h, c->kernel.data, sizeof h);
    if (h.magic != KERNEL_MAGIC || h.magic2 != KERNEL_MAGIC2)
        return "its kernel is not a RISC-V Linux Image; give one (arch/riscv/boot/Image)";
    kernel_end = max_u64(h.image_size, c->kernel.size);
    if (h.text_offset > c->memory || kernel_end > c->memory - h.text_offset)
        return "its kernel does not fit into its memory; give it more memory";
    if (!is_aligned(h.text_offset, MEMORY_STEP))
        return "its kernel wants to stand at an offset that is no multiple of 2 MiB; give another";
    l->kernel  = h.text_offset;
    kernel_end = align_up(l->kernel + kernel_end, PAGE_SIZE);
    l->dt      = c->memory - DT_SIZE;
    if (l->dt < kernel_end)
        return "its kernel does not fit into its memory; give it more memory";
    if (c->ramdisk.size > l->dt - kernel_end)
        return "its initrd does not fit into its memory beside the kernel; give it more memory";
    l->ramdisk = align_down(l->dt - c->ramdisk.size, PAGE_SIZE);
    return NULL;
}

static const char *config_check(const struct vm_config *c)
{
    if (c->memory < MEMORY_MIN || c->memory > MEMORY_MAX || !is_aligned(c->memory, MEMORY_STEP))
        return "its memory is no multiple of 2 MiB from 16 MiB on; give such a size";
    if (c->vcpus < 1 || c->vcpus > VCPUS_MAX)
        return "it asks for another number of vCPUs than 1; this version runs one per VM";
    if (c->shadow_pages && (c->shadow_pages < SHADOW_POOL_MIN || c->shadow_pages > SHADOW_POOL_MAX))
        return "its shadow-pages are not between 16 and 16384; leave them out";
    return NULL;
}

// Without a wish: one page of tables per 64 pages of RAM, which holds about 100 Linux processes in
// 256 MiB.
static u32 pool_pages(const struct vm_config *c)
{
    if (c->shadow_pages)
        return c->shadow_pages + SHADOW_POOL_SPARE;
    return (u32)min_u64(SHADOW_POOL_MAX, max_u64(256, c->memory / PAGE_SIZE / 64));
}

static u64 control_size(const struct vm_config *c)
{
    u64 size = sizeof(struct built) + sizeof(struct console) +
               c->vcpus * (sizeof(struct vcpu) + 8 + 2ul * pool_pages(c));

    for (size_t i = 0; i < board_n_devices; i++)
        size += align_up(board_devices[i]->state_size, 16);
    return size + 4096;
}

// Parts of the control block, one after the other; its size was computed from the same numbers.
static void *take(u64 *at, u64 size)
{
    void *p = (void *)*at;

    *at = align_up(*at + size, 16);
    return p;
}

static u16 ext_modes(const struct hart_caps *c)
{
    return (u16)((c->sv39 ? BIT(SATP_SV39) : 0) | (c->sv48 ? BIT(SATP_SV48) : 0) |
                 (c->sv57 ? BIT(SATP_SV57) : 0));
}

static void vm_fill(struct vm *vm, const struct vm_config *c, u64 ram)
{
    memcpy(vm->name, c->name, min_u64(strlen(c->name), VM_NAME_MAX - 1));
    vm->ram               = hpa(ram);
    vm->ram_size          = c->memory;
    vm->ram_window        = (struct pmp_range){ ram, ram + c->memory, PMP_R | PMP_W | PMP_X };
    vm->has_fp            = n_vms == 0; // the monitor never touches, and so cannot switch, them
    vm->isa               = vm->has_fp ? &machine.isa : &machine.isa_without_fp;
    vm->satp_modes        = ext_modes(&hart_caps);
    vm->walk_base.svpbmt  = vm->isa->has & EXT_SVPBMT;
    vm->walk_base.svnapot = vm->isa->has & EXT_SVNAPOT;
    vm->n_vcpus           = c->vcpus;
}

static void vcpus_make(struct built *b, u64 *at, u64 pools, const struct engine *engine)
{
    u32 pages = pool_pages(&b->config);

    b->vm.vcpus = b->vcpu_list;
    b->vm.table_window =
        (struct pmp_range){ pools, pools + b->vm.n_vcpus * pages * PAGE_SIZE, PMP_R };
    for (u32 i = 0; i < b->vm.n_vcpus; i++) {
        struct vcpu *v = take(at, sizeof *v);

        v->vm             = &b->vm;
        v->id             = i;
        v->engine         = engine;
        v->shadow.pool    = hpa(pools + i * pages * PAGE_SIZE);
        v->shadow.n_pages = pages;
        v->shadow.next    = take(at, 2ul * pages);
        b->vcpu_list[i]   = v;
    }
}

static bool devices_make(struct vm *vm, u64 *at)
{
    for (size_t i = 0; i < board_n_devices; i++) {
        struct vdev *d = take(at, board_devices[i]->state_size);

        d->ops = board_devices[i];
        d->vm  = vm;
        if (!bus_add(&vm->bus, d))
            return false;
    }
    return true;
}

const char *vm_build(const struct vm_config *c, struct vm **made)
{
    struct layout        layout;
    const char          *why    = config_check(c);
    const struct engine *engine = why ? NULL : engine_choose(c->engine, &why);
    u64                  pools, ram, at;

    if (!why)
        why = layout_make(c, &layout);
    if (why)
        return why;
    if (n_vms == VM_MAX)
        return "there are too many VMs; this version runs 16";
    at    = ram_alloc(control_size(c), PAGE_SIZE);
    pools = ram_alloc(c->vcpus * pool_pages(c) * PAGE_SIZE, PAGE_SIZE);
    ram   = at && pools ? ram_alloc(c->memory, MEMORY_STEP) : 0;
    if (!ram)
        return "the machine has too little RAM for its memory; give it less, or the machine more (-m)";

    struct built *b = take(&at, sizeof *b);

    b->config = *c;
    b->layout = layout;
    vm_fill(&b->vm, c, ram);
    b->vm.console = take(&at, sizeof *b->vm.console);
    vcpus_make(b, &at, pools, engine);
    if (!devices_make(&b->vm, &at))
        return "the board has more devices than its bus takes";
    *made = vms[n_vms++] = &b->vm;
    return NULL;
}

#define STEP (512 * KIB) // of RAM per step: other VMs wait about 0.1 ms

// Copies the part of an image that lies in [from, from + STEP) of the VM's RAM.
static void image_part_copy(struct built *b, const struct image *image, u64 image_at, u64 from)
{
    u64 begin = max_u64(image_at, from), end = min_u64(image_at + image->size, from + STEP);

    if (image->data && begin < end)
        words_copy((char *)b->vm.ram.a + begin, (const char *)image->data + (begin - image_at),
                   end - begin);
}

static void ram_part_fill(struct built *b, u64 from)
{
    if (b->vm.starts)
        words_clear((char *)b->vm.ram.a + from, STEP);
    image_part_copy(b, &b->config.kernel, b->layout.kernel, from);
    image_part_copy(b, &b->config.ramdisk, b->layout.ramdisk, from);
}

static void vm_begin(struct built *b)
{
    struct vm     *vm = &b->vm;
    struct layout *l  = &b->layout;

    guest_dt_make(vm, b->config.bootargs, gpa(VM_RAM_BASE + l->ramdisk), b->config.ramdisk.size,
                  (char *)vm->ram.a + l->dt, DT_SIZE);
    hart_fence_code();
    vm_reset(vm);
    vm->starts++;
    vm->started_ticks = clock_now();
    vm->state         = VM_RUNNING;
    vcpu_start(vm->vcpus[0], VM_RAM_BASE + l->kernel, VM_RAM_BASE + l->dt);
    sched_started(vm->vcpus[0]);
}

void vm_boot_step(struct vm *vm)
{
    struct built *b = built_of(vm);

    ram_part_fill(b, b->filled);
    b->filled += STEP;
    if (b->filled < vm->ram_size)
        return;
    b->filled = 0;
    vm_begin(b);
}

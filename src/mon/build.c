// SPDX-License-Identifier: MIT
// Making a virtual machine.
//
// In:     what the bundle says of it.
// Out:    a struct vm with shadow pools, vCPUs and the board's devices, OFF.
// Always: all that can fail is checked before the VM is listed; a VM that cannot be made whole is
//         not made.  Its memory is two blocks: [vm, devices, vcpus] and shadow pools.  What most
//         exits touch lies together: a guest's TLB flush may flush what we touch, too.
// Locks:  none; boot hart only.
#include "mon/build.h"

#include "dev/disk.h"
#include "dev/machine.h"
#include "dev/net.h"
#include "mon/console.h"
#include "mon/guest_dt.h"
#include "vdev/board.h"
#include "vm/engine.h"

#include <string.h>

#define MEMORY_STEP (2 * MIB)
#define MEMORY_MIN  (16 * MIB)
#define MEMORY_MAX  (1ul << 37)
#define DT_SIZE     (64 * KIB) // where it stands in the VM's RAM,
#define DT_ROOM     (16 * KIB) // and in ours

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

// The two ways in which a kernel says where it goes.
static const char *linux_place(const struct vm_config *c, struct layout *l, u64 *end)
{
    struct kernel_header h;

    if (c->kernel.size < sizeof h)
        return "its kernel is too short to be one; give a RISC-V Linux Image";
    memcpy(&h, c->kernel.data, sizeof h);
    if (h.magic != KERNEL_MAGIC || h.magic2 != KERNEL_MAGIC2)
        return "its kernel is not a RISC-V Linux Image; give one (arch/riscv/boot/Image)";
    if (h.text_offset > c->memory ||
        max_u64(h.image_size, c->kernel.size) > c->memory - h.text_offset)
        return "its kernel does not fit into its memory; give it more memory";
    if (!is_aligned(h.text_offset, MEMORY_STEP))
        return "its kernel wants to stand at an offset that is no multiple of 2 MiB; give another";
    l->kernel = l->entry = h.text_offset;
    *end                 = l->kernel + max_u64(h.image_size, c->kernel.size);
    return NULL;
}

static const char *placed_place(const struct vm_config *c, struct layout *l, u64 *end)
{
    const struct image *k = &c->kernel;

    if (!range_contains(VM_RAM_BASE, c->memory, k->load, k->mem_size))
        return "its kernel wants to stand outside its memory; give it more memory";
    if (!range_contains(k->load, k->mem_size, k->entry, 2) || k->entry % 2)
        return "its kernel wants to start outside of itself; make the bundle again with `duomo pack`";
    l->kernel = k->load - VM_RAM_BASE;
    l->entry  = k->entry - VM_RAM_BASE;
    *end      = l->kernel + k->mem_size;
    return NULL;
}

static const char *layout_make(const struct vm_config *c, struct layout *l)
{
    u64         kernel_end = 0;
    const char *why        = (c->kernel.placed ? placed_place : linux_place)(c, l, &kernel_end);

    if (why)
        return why;
    kernel_end = align_up(kernel_end, PAGE_SIZE);
    l->dt      = c->memory - DT_SIZE;
    if (l->dt < kernel_end)
        return "its kernel does not fit into its memory; give it more memory";
    if (c->ramdisk.size > l->dt - kernel_end)
        return "its initrd does not fit into its memory beside the kernel; give it more memory";
    l->ramdisk = align_down(l->dt - c->ramdisk.size, PAGE_SIZE);
    return NULL;
}

static u64 harts_known(void)
{
    u64 mask = 0;

    for (u32 i = 0; i < min_u64(machine.n_harts, MACHINE_HARTS_MAX); i++)
        mask |= machine.hart_ids[i] < 64 ? BIT(machine.hart_ids[i]) : ~0ul;
    return mask;
}

static const char *config_check(const struct vm_config *c)
{
    if (c->memory < MEMORY_MIN || c->memory > MEMORY_MAX || !is_aligned(c->memory, MEMORY_STEP))
        return "its memory is no multiple of 2 MiB from 16 MiB on; give such a size";
    if (c->vcpus < 1 || c->vcpus > VCPUS_MAX)
        return "it asks for another number of vCPUs than 1; this version runs one per VM";
    if (c->shadow_pages && (c->shadow_pages < SHADOW_POOL_MIN || c->shadow_pages > SHADOW_POOL_MAX))
        return "its shadow-pages are not between 16 and 16384; leave them out";
    if (c->weight < 1 || c->weight > 1000)
        return "its weight is not between 1 and 1000; give such a one";
    if (c->cap > 100)
        return "its cap is more than 100 per cent of a hart; give 1 to 100, or none";
    if (!(c->harts & harts_known()))
        return "the machine has none of the harts that it may run on; name others";
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

// Could it be had now?  It is taken when the VM starts.
static bool ram_is_enough(const struct vm_config *c)
{
    u64 ram = ram_take(c->memory, MEMORY_STEP);

    if (ram)
        ram_release(ram);
    return ram;
}

// Naturally aligned if that leaves enough for the VM's RAM: then they are one entry of the PMP.
static u64 pools_alloc(const struct vm_config *c)
{
    u64 size = c->vcpus * pool_pages(c) * PAGE_SIZE;
    u64 at   = is_power_of_two(size) ? ram_alloc(size, size) : 0;

    if (at && ram_is_enough(c))
        return at;
    if (at)
        ram_release(at);
    return ram_alloc(size, PAGE_SIZE);
}

static u64 vector_size(void)
{
    return hart_caps.vlenb ? sizeof(struct vector_regs) + 32 * hart_caps.vlenb : 0;
}

static bool is_present(const struct vdev_ops *ops, const struct vm *vm)
{
    return !ops->present || ops->present(vm);
}

// `like` has those of the machine's devices that the VM will have.
static u64 control_size(const struct vm_config *c, const struct vm *like)
{
    u64 size = sizeof(struct built) + sizeof(struct console) + sizeof(struct crash) + DT_ROOM +
               c->vcpus * (PAGE_SIZE + sizeof(struct vcpu) + 8 + 2ul * pool_pages(c));

    for (size_t i = 0; i < board_n_devices; i++)
        if (is_present(board_devices[i], like))
            size += align_up(board_devices[i]->state_size, 16);
    return size + c->vcpus * vector_size() + 4096;
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

// What the hart has is switched, whatever the tree says of it.  A hart may keep VS without having
// vectors, and then the guest may too; or have them without V (Zve32x and others).
static u64 ext_bits(void)
{
    return (hart_caps.fp ? STATUS_FS | STATUS_VS : 0) | (hart_caps.vlenb ? STATUS_VS : 0);
}

static const char *port_open_for(const struct vm_config *c, struct vm *vm)
{
    struct port_config p = { .isolated    = c->net_isolated,
                             .vlan        = (u16)c->net_vlan,
                             .bytes_per_s = c->net_rate };

    memcpy(p.mac, c->net_mac, sizeof p.mac);
    return switch_port_add(c->name, &p, &vm->port);
}

// Its share of the machine's devices.  What is opened stays so, even if the VM cannot be made after
// all: nobody else may have what is meant for it.
static const char *io_open(const struct vm_config *c, struct vm *vm)
{
    const char *why = NULL;

    vm->disk_limits = (struct io_limits){ c->disk_requests, c->disk_bytes };
    vm->has_vcons   = c->has_vcons;
    if (c->disk_partition)
        why = disk_open(c->disk_partition, c->disk_readonly, c->weight, &vm->disk);
    if (!why && c->has_net)
        why = port_open_for(c, vm);
    return why;
}

// `*vm` has its share of the machine's devices, and nothing else.
static void vm_fill(struct vm *vm, const struct vm_config *c)
{
    memcpy(vm->name, c->name, min_u64(strlen(c->name), VM_NAME_MAX - 1));
    vm->ram_size          = c->memory;
    vm->isa               = &machine.isa;
    vm->ext_bits          = ext_bits();
    vm->weight            = c->weight;
    vm->cap               = c->cap;
    vm->harts             = c->harts;
    vm->watchdog_ticks    = c->watchdog * machine.timebase_hz;
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
        *at = align_up(*at, PAGE_SIZE);

        struct vcpu *v = take(at, sizeof *v);

        v->vm         = &b->vm;
        v->id         = i;
        v->own_engine = engine;
        engine_give(v, engine);
        v->shadow.pool    = hpa(pools + i * pages * PAGE_SIZE);
        v->shadow.n_pages = pages;
        v->shadow.next    = take(at, 2ul * pages);
        v->vector         = hart_caps.vlenb ? take(at, vector_size()) : NULL;
        b->vcpu_list[i]   = v;
    }
}

static bool devices_make(struct vm *vm, u64 *at)
{
    for (size_t i = 0; i < board_n_devices; i++) {
        const struct vdev_ops *ops = board_devices[i];

        if (!is_present(ops, vm))
            continue;

        struct vdev *d = take(at, ops->state_size);

        d->ops = ops;
        d->vm  = vm;
        if (!bus_add(&vm->bus, d))
            return false;
    }
    return true;
}

static void dt_make(struct built *b, char *room)
{
    guest_dt_make(&b->vm, b->config.bootargs, gpa(VM_RAM_BASE + b->layout.ramdisk),
                  b->config.ramdisk.size, room, DT_ROOM);
    b->dt          = (struct image){ .data = room, .size = DT_ROOM };
    b->seed_offset = guest_dt_seed_offset(room);
}

const char *vm_build(const struct vm_config *c, struct vm **made)
{
    struct vm            io = { 0 };
    struct layout        layout;
    const char          *why    = config_check(c);
    const struct engine *engine = why ? NULL : engine_choose(c->engine, &why);
    u64                  pools, at;

    if (!why)
        why = layout_make(c, &layout);
    if (why)
        return why;
    if (n_vms == VM_MAX)
        return "there are too many VMs; this version runs 64";
    if (!ram_is_enough(c))
        return "the machine has too little RAM for its memory; give it less, or the machine more (-m)";
    why = io_open(c, &io);
    if (why)
        return why;
    at    = ram_alloc(control_size(c, &io), PAGE_SIZE);
    pools = pools_alloc(c);
    if (!at || !pools)
        return "the machine has too little RAM for its tables; give it more (-m)";

    struct built *b = take(&at, sizeof *b);

    b->config = *c;
    b->layout = layout;
    b->vm     = io;
    vm_fill(&b->vm, c);
    if (!devices_make(&b->vm, &at))
        return "the board has more devices than its bus takes";
    b->vm.console = take(&at, sizeof *b->vm.console);
    b->vm.crash   = take(&at, sizeof *b->vm.crash);
    vcpus_make(b, &at, pools, engine);
    dt_make(b, take(&at, DT_ROOM));
    vm_reset(&b->vm);
    *made = vms[n_vms++] = &b->vm;
    return NULL;
}

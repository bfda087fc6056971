// SPDX-License-Identifier: MIT
// Building a virtual machine on the desk.
//
// In:     its size and shape.
// Out:    a VM whose RAM and shadow pools are the host's memory.
// Always: RAM has a page without any access before and behind it, so that a stray access of the
//         code under test ends the program.
// Locks:  none.
#include "rig/rig.h"

#include "dev/machine.h"
#include "lib/panic.h"
#include "vdev/board.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

struct rig *rig_of(struct vm *vm)
{
    return CONTAINER_OF(vm, struct rig, vm);
}

static bool console_room(struct vm *vm)
{
    return !rig_of(vm)->full;
}

static void console_write(struct vm *vm, const char *text, size_t len)
{
    struct rig *r = rig_of(vm);

    if (r->full)
        r->n_overrun += (unsigned)len;
    for (; len && r->n_out < RIG_TEXT; len--)
        r->out[r->n_out++] = *text++;
}

static int console_read(struct vm *vm)
{
    struct rig *r = rig_of(vm);

    return r->in_at < r->n_in ? r->in[r->in_at++] : -1;
}

static void vm_ended(struct vm *vm)
{
    vm->state = VM_OFF;
}

static void *must_alloc(size_t size)
{
    void *p = calloc(1, size);

    ASSERT(p);
    return p;
}

// Address space for RAM at the wanted distance from a 1 GiB border; pages come when they are
// touched.
static void ram_make(struct rig *r, const struct rig_options *o)
{
    u64 size = o->ram_size ? o->ram_size : 16 * MIB;

    r->area_size = size + o->ram_skew + 2 * GIB;
    r->area =
        mmap(NULL, r->area_size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT(r->area != MAP_FAILED);

    u64 base = align_up((u64)r->area + PAGE_SIZE, GIB) + o->ram_skew;

    ASSERT(!mprotect((void *)base, size, PROT_READ | PROT_WRITE));
    r->vm.ram        = hpa(base);
    r->vm.ram_size   = size;
    r->vm.ram_window = (struct pmp_range){ base, base + size, PMP_R | PMP_W | PMP_X };
}

static void vcpu_make(struct rig *r, u32 id, u32 pages)
{
    struct vcpu *v = must_alloc(sizeof *v);

    v->vm             = &r->vm;
    v->id             = id;
    v->engine         = &engine_classic;
    v->own_engine     = v->engine;
    v->shadow.pool    = hpa((u64)aligned_alloc(PAGE_SIZE, pages * PAGE_SIZE));
    v->shadow.n_pages = pages;
    v->shadow.next    = must_alloc(pages * sizeof *v->shadow.next);
    r->list[id]       = v;
    ASSERT(v->shadow.pool.a);
}

void *rig_device(struct rig *r, const struct vdev_ops *ops, size_t size)
{
    struct vdev *d = must_alloc(size);

    d->ops = ops;
    d->vm  = &r->vm;
    ASSERT(bus_add(&r->vm.bus, d));
    return d;
}

static void devices_make(struct vm *vm)
{
    for (size_t i = 0; i < board_n_devices; i++) {
        if (board_devices[i]->present && !board_devices[i]->present(vm))
            continue;

        (void)rig_device(rig_of(vm), board_devices[i], board_devices[i]->state_size);
    }
}

static void vm_fill(struct vm *vm, const struct rig_options *o)
{
    vm->n_vcpus           = o->n_vcpus ? o->n_vcpus : 1;
    vm->isa               = &machine.isa;
    vm->ext_bits          = STATUS_FS;
    vm->weight            = 100;
    vm->harts             = ~0ul;
    vm->satp_modes        = (u16)(BIT(SATP_SV39) | BIT(SATP_SV48) | BIT(SATP_SV57));
    vm->walk_base.svpbmt  = !o->no_pbmt_napot;
    vm->walk_base.svnapot = !o->no_pbmt_napot;
    vm->console_room      = console_room;
    vm->console_write     = console_write;
    vm->console_read      = console_read;
    vm->on_end            = vm_ended;
    vm->state             = VM_RUNNING;
    vm->disk              = o->disk;
    vm->disk_limits       = o->disk_limits;
    vm->port              = o->port;
    vm->has_vcons         = o->has_vcons;
}

struct rig *rig_make(const struct rig_options *o)
{
    static const struct rig_options plain;
    struct rig                     *r = must_alloc(sizeof *r);

    o = o ? o : &plain;
    vm_fill(&r->vm, o);
    ram_make(r, o);
    r->vm.vcpus = r->list;
    for (u32 i = 0; i < r->vm.n_vcpus; i++)
        vcpu_make(r, i, o->pool_pages ? o->pool_pages : 256);
    r->v = r->list[0];
    devices_make(&r->vm);
    ASSERT(n_vms < VM_MAX);
    vms[n_vms++] = &r->vm;
    vm_reset(&r->vm);
    vcpu_start(r->v, VM_RAM_BASE, 0);
    return r;
}

static void vm_unlist(struct vm *vm)
{
    for (unsigned i = 0; i < n_vms; i++)
        if (vms[i] == vm)
            vms[i--] = vms[--n_vms];
}

void rig_free(struct rig *r)
{
    vm_unlist(&r->vm);
    for (u32 i = 0; i < r->vm.n_vcpus; i++) {
        vcpu_reset(r->list[i]); // the monitor forgets that its hart holds it
        free((void *)r->list[i]->shadow.pool.a);
        free(r->list[i]->shadow.next);
        free(r->list[i]);
    }
    for (unsigned i = 0; i < r->vm.bus.n; i++)
        free(r->vm.bus.devices[i]);
    munmap(r->area, r->area_size);
    free(r);
}

bool rig_access(struct rig *r, u64 at, unsigned size, bool write, u64 *value)
{
    u64          off;
    struct vdev *d = bus_find(&r->vm.bus, r->v, gpa(at), size, &off);

    return d && vdev_access(d, off, size, write, value) == BUS_DONE;
}

u64 rig_read(struct rig *r, u64 at, unsigned size)
{
    u64 value = 0x5a5a5a5a5a5a5a5aul;

    if (!rig_access(r, at, size, false, &value))
        panic("the bus refuses a read of %u bytes at %lx", size, (unsigned long)at);
    return value;
}

void rig_write(struct rig *r, u64 at, unsigned size, u64 value)
{
    if (!rig_access(r, at, size, true, &value))
        panic("the bus refuses a write of %u bytes at %lx", size, (unsigned long)at);
}

void rig_type(struct rig *r, const char *text)
{
    for (; *text && r->n_in < RIG_TEXT; text++)
        r->in[r->n_in++] = (u8)*text;
    r->vm.console_ready(&r->vm);
}

u64 rig_word(const struct rig *r, u64 at)
{
    u64 value = 0;

    ASSERT(gmem_read(&r->vm, gpa(at), &value, sizeof value));
    return value;
}

void rig_word_set(struct rig *r, u64 at, u64 value)
{
    ASSERT(gmem_write(&r->vm, gpa(at), &value, sizeof value));
}

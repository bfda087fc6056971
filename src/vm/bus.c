// SPDX-License-Identifier: MIT
// The bus.
//
// In:     one access: guest-physical address, width, direction.
// Out:    the device's answer; or "no".
// Always: a device sees only aligned accesses of widths it allows, wholly inside its registers.
// Locks:  vm->lock, held by the caller.
#include "vm/bus.h"

#include "lib/bits.h"
#include "vm/sched.h"

bool bus_add(struct bus *b, struct vdev *d)
{
    if (b->n == BUS_DEVICES_MAX)
        return false;
    d->number          = b->n;
    b->deadlines[b->n] = ~0ul;
    b->devices[b->n++] = d;
    return true;
}

static u8 owner_number(const struct bus *b, gpa_t at, unsigned size)
{
    for (unsigned i = 0; i < b->n; i++)
        if (range_contains(b->devices[i]->ops->base, b->devices[i]->ops->size, at.a, size))
            return (u8)(i + 1);
    return 0;
}

static struct vdev *owner_of(struct bus *b, gpa_t at, unsigned size)
{
    u8 number = owner_number(b, at, size);

    return number ? b->devices[number - 1] : NULL;
}

u8 bus_owner_number(const struct bus *b, gpa_t at)
{
    return owner_number(b, at, 1);
}

struct vdev *bus_find(struct bus *b, const struct vcpu *v, gpa_t at, unsigned size, u64 *off)
{
    struct vdev *d = owner_of(b, at, size);

    if (!d || !(d->ops->sizes & size) || !is_aligned(at.a, size) ||
        (d->ops->m_only && v->mode != MODE_M))
        return NULL;
    *off = at.a - d->ops->base;
    return d;
}

enum bus_answer vdev_access(struct vdev *d, u64 off, unsigned size, bool write, u64 *value)
{
    u64         mask = ~0ul >> (64 - 8 * size);
    struct mmio m    = { off, (u8)size, write, write ? *value & mask : 0, false };

    if (!d->ops->access(d, &m))
        return BUS_FAULT;
    if (m.again)
        return BUS_AGAIN;
    if (UNLIKELY(d->vm->record))
        trace_device(d, &m);
    if (!write)
        *value = m.value & mask;
    return BUS_DONE;
}

void bus_reset(struct bus *b)
{
    b->deadline = ~0ul;
    __atomic_store_n(&b->kicked, 0, __ATOMIC_RELAXED);
    b->patient = b->awaited = 0;
    b->lingers              = false;
    for (unsigned i = 0; i < b->n; i++) {
        b->deadlines[i] = ~0ul;
        if (b->devices[i]->ops->reset)
            b->devices[i]->ops->reset(b->devices[i]);
    }
}

void bus_tick(struct bus *b, u64 now_ticks)
{
    if (now_ticks < b->deadline)
        return;
    b->deadline = ~0ul;
    for (unsigned i = 0; i < b->n; i++) {
        if (now_ticks >= b->deadlines[i]) {
            b->deadlines[i] = ~0ul;
            b->devices[i]->ops->tick(b->devices[i]);
        }
        b->deadline = min_u64(b->deadline, b->deadlines[i]);
    }
}

bool bus_is_quiet(const struct bus *b)
{
    for (unsigned i = 0; i < b->n; i++)
        if (b->devices[i]->ops->quiet && !b->devices[i]->ops->quiet(b->devices[i]))
            return false;
    return true;
}

void bus_look(struct bus *b, u32 which)
{
    for (; which; which &= which - 1) {
        struct vdev *d = b->devices[lowest_bit(which)];

        d->ops->tick(d);
    }
}

void bus_answer_kicks(struct bus *b)
{
    bus_look(b, __atomic_exchange_n(&b->kicked, 0, __ATOMIC_ACQUIRE));
}

void bus_idle(struct bus *b)
{
    bus_look(b, b->patient);
}

bool bus_is_over(const struct bus *b)
{
    for (u32 which = bus_awaits(b); which; which &= which - 1) {
        const struct vdev *d = b->devices[lowest_bit(which)];

        if (d->ops->is_over(d))
            return true;
    }
    return false;
}

void vdev_kick(struct vdev *d)
{
    struct vcpu *v   = d->vm->vcpus[0];
    u32          bit = 1u << d->number;

    if (__atomic_fetch_or(&d->vm->bus.kicked, bit, __ATOMIC_ACQ_REL) & bit)
        return; // whoever did it before wakes the vCPU for both
    pend(v, PEND_DEVICE);
    sched_wake(v);
}

void bus_kick(struct bus *b, u32 which)
{
    for (; which; which &= which - 1)
        vdev_kick(b->devices[lowest_bit(which)]);
}

// Whoever kicks in between finds the device kicked; what he did before is seen after the release.
void vdev_kicks_hold(struct vdev *d)
{
    __atomic_fetch_or(&d->vm->bus.kicked, 1u << d->number, __ATOMIC_RELAXED);
}

void vdev_kicks_release(struct vdev *d)
{
    __atomic_fetch_and(&d->vm->bus.kicked, ~(1u << d->number), __ATOMIC_ACQ_REL);
}

static void bit_put(u32 *all, const struct vdev *d, bool set)
{
    u32 mine = 1u << d->number;

    __atomic_store_n(all, set ? *all | mine : *all & ~mine, __ATOMIC_RELAXED);
}

void vdev_patient_set(struct vdev *d, bool patient)
{
    bit_put(&d->vm->bus.patient, d, patient);
}

void vdev_awaited_set(struct vdev *d, bool awaited)
{
    bit_put(&d->vm->bus.awaited, d, awaited);
}

u64 vdev_deadline(const struct vdev *d)
{
    return d->vm->bus.deadlines[d->number];
}

void vdev_deadline_set(struct vdev *d, u64 deadline_ticks)
{
    struct bus *b = &d->vm->bus;

    b->deadlines[d->number] = deadline_ticks;
    b->deadline             = ~0ul;
    for (unsigned i = 0; i < b->n; i++)
        b->deadline = min_u64(b->deadline, b->deadlines[i]);
    sched_arm(d->vm->vcpus[0]);
}

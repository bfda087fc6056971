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

bool bus_access(struct bus *b, struct vcpu *v, gpa_t at, unsigned size, bool write, u64 *value)
{
    struct vdev *d    = owner_of(b, at, size);
    u64          mask = size == 8 ? ~0ul : BIT(8 * size) - 1;

    if (!d || !(d->ops->sizes & size) || !is_aligned(at.a, size))
        return false;
    if (d->ops->m_only && v->mode != MODE_M)
        return false;

    struct mmio m = { at.a - d->ops->base, (u8)size, write, write ? *value & mask : 0 };

    if (!d->ops->access(d, &m))
        return false;
    trace_device(d, &m);
    if (!write)
        *value = m.value & mask;
    return true;
}

void bus_reset(struct bus *b)
{
    b->deadline = ~0ul;
    for (unsigned i = 0; i < b->n; i++) {
        b->devices[i]->deadline = ~0ul;
        b->devices[i]->ops->reset(b->devices[i]);
    }
}

void bus_tick(struct bus *b, u64 now_ticks)
{
    if (now_ticks < b->deadline)
        return;
    b->deadline = ~0ul;
    for (unsigned i = 0; i < b->n; i++) {
        struct vdev *d = b->devices[i];

        if (now_ticks >= d->deadline) {
            d->deadline = ~0ul;
            d->ops->tick(d);
        }
        b->deadline = min_u64(b->deadline, d->deadline);
    }
}

void vdev_deadline_set(struct vdev *d, u64 deadline_ticks)
{
    struct bus *b = &d->vm->bus;

    d->deadline = deadline_ticks;
    b->deadline = ~0ul;
    for (unsigned i = 0; i < b->n; i++)
        b->deadline = min_u64(b->deadline, b->devices[i]->deadline);
    sched_arm(d->vm->vcpus[0]);
}

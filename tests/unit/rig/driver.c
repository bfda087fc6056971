// SPDX-License-Identifier: MIT
// A guest's driver on the desk (Virtio 1.2, 3.1 and 2.7.13).
//
// In:     what a test wants done.
// Out:    register accesses; rings in the VM's RAM.
// Always: it checks nothing: a test may have it do what no driver may.
// Locks:  none.
#include "rig/driver.h"

#include "lib/panic.h"

#include <string.h>

u32 driver_get(const struct driver *d, u64 reg)
{
    return (u32)rig_read(d->r, d->base + reg, 4);
}

void driver_put(const struct driver *d, u64 reg, u32 value)
{
    rig_write(d->r, d->base + reg, 4, value);
}

u64 driver_features(const struct driver *d)
{
    u64 low;

    driver_put(d, V_FEATURES_SELECT, 0);
    low = driver_get(d, V_FEATURES);
    driver_put(d, V_FEATURES_SELECT, 1);
    return low | (u64)driver_get(d, V_FEATURES) << 32;
}

u32 driver_negotiate(const struct driver *d, u64 features)
{
    driver_put(d, V_STATUS, 0);
    driver_put(d, V_STATUS, 1);
    driver_put(d, V_STATUS, 3);
    for (u32 i = 0; i < 2; i++) {
        driver_put(d, V_DRIVER_SELECT, i);
        driver_put(d, V_DRIVER_FEATURES, (u32)(features >> (32 * i)));
    }
    driver_put(d, V_STATUS, 11);
    return driver_get(d, V_STATUS);
}

static void place_put(const struct driver *d, u64 reg, u64 at)
{
    driver_put(d, reg, (u32)at);
    driver_put(d, reg + 4, (u32)(at >> 32));
}

void driver_queue(struct driver *d, u64 at)
{
    d->desc    = at;
    d->avail   = at + 16ul * d->size;
    d->used    = align_up(d->avail + 6 + 2ul * d->size, 4);
    d->offered = d->seen = 0;
    for (u64 i = d->avail; i < d->used + 6 + 8ul * d->size; i++)
        ASSERT(gmem_write(&d->r->vm, gpa(i), "", 1));
    driver_put(d, V_QUEUE, d->queue);
    driver_put(d, V_QUEUE_SIZE, d->size);
    place_put(d, V_DESC, d->desc);
    place_put(d, V_AVAIL, d->avail);
    place_put(d, V_USED, d->used);
    driver_put(d, V_READY, 1);
}

void driver_start(struct driver *d, u64 features, u64 at)
{
    ASSERT(driver_negotiate(d, features) == 11);
    driver_queue(d, at);
    driver_put(d, V_STATUS, 15);
}

void driver_desc(const struct driver *d, u64 table, u32 i, u64 at, u32 len, u16 flags, u16 next)
{
    struct {
        u64 at;
        u32 len;
        u16 flags, next;
    } desc = { at, len, flags, next };

    ASSERT(gmem_write(&d->r->vm, gpa(table + 16ul * i), &desc, sizeof desc));
}

void driver_offer(struct driver *d, u16 head)
{
    ASSERT(gmem_write(&d->r->vm, gpa(d->avail + 4 + 2ul * (d->offered % d->size)), &head, 2));
    d->offered++;
    ASSERT(gmem_write(&d->r->vm, gpa(d->avail + 2), &d->offered, 2));
}

void driver_notify(const struct driver *d)
{
    driver_put(d, V_NOTIFY, d->queue);
}

bool driver_used(struct driver *d, u32 *head, u32 *len)
{
    u64 entry = d->used + 4 + 8ul * (d->seen % d->size);
    u16 index;

    ASSERT(gmem_read(&d->r->vm, gpa(d->used + 2), &index, 2));
    if (index == d->seen)
        return false;
    d->seen++;
    ASSERT(gmem_read(&d->r->vm, gpa(entry), head, 4));
    ASSERT(gmem_read(&d->r->vm, gpa(entry + 4), len, 4));
    return true;
}

// SPDX-License-Identifier: MIT
// The virtual goldfish real-time clock (QEMU, hw/rtc/goldfish_rtc.c).
//
// In:     register accesses; its deadline.
// Out:    nanoseconds since 1970, plus what the guest has set; an alarm's interrupt.
// Always: TIME_LOW latches TIME_HIGH.  The guest's setting is an offset of its own.
// Locks:  vm->lock, held by the caller.
#include "dev/clock.h"
#include "dev/machine.h"
#include "dev/wallclock.h"
#include "vdev/board.h"
#include "vdev/devices.h"

#include <string.h>

enum {
    TIME_LOW        = 0x00,
    TIME_HIGH       = 0x04,
    ALARM_LOW       = 0x08,
    ALARM_HIGH      = 0x0c,
    IRQ_ENABLED     = 0x10,
    CLEAR_ALARM     = 0x14,
    ALARM_STATUS    = 0x18,
    CLEAR_INTERRUPT = 0x1c,
};

#define NS_PER_S 1000000000ul

struct vrtc {
    struct vdev dev; // must be first
    u64         offset_ns;
    u64         alarm_ns;
    u32         time_high;
    bool        armed, pending, irq_enabled;
};

static struct vrtc *vrtc_of(struct vdev *d)
{
    return CONTAINER_OF(d, struct vrtc, dev);
}

static u64 time_ns(const struct vrtc *r)
{
    return wallclock_ns() + r->offset_ns;
}

static void irq_update(struct vrtc *r)
{
    r->dev.vm->irq_set(r->dev.vm, VRTC_IRQ, r->pending && r->irq_enabled);
}

static void alarm_fire(struct vrtc *r)
{
    r->armed   = false;
    r->pending = true;
    irq_update(r);
}

// An alarm in the past fires at once; a far one is looked at again after an hour, so that nothing
// overflows.
static void alarm_schedule(struct vrtc *r)
{
    u64 now = time_ns(r);

    if (r->armed && r->alarm_ns <= now)
        alarm_fire(r);
    if (!r->armed) {
        vdev_deadline_set(&r->dev, ~0ul);
        return;
    }
    u64 wait_ns = min_u64(r->alarm_ns - now, 3600 * NS_PER_S);

    vdev_deadline_set(&r->dev, clock_now() + 1 + wait_ns / (NS_PER_S / machine.timebase_hz));
}

static void vrtc_tick(struct vdev *d)
{
    alarm_schedule(vrtc_of(d));
}

static u64 vrtc_read(struct vrtc *r, u64 off)
{
    u64 now;

    switch (off) {
    case TIME_LOW:
        now          = time_ns(r);
        r->time_high = (u32)(now >> 32);
        return (u32)now;
    case TIME_HIGH:    return r->time_high;
    case ALARM_LOW:    return (u32)r->alarm_ns;
    case ALARM_HIGH:   return (u32)(r->alarm_ns >> 32);
    case IRQ_ENABLED:  return r->irq_enabled;
    case ALARM_STATUS: return r->armed;
    default:           return 0;
    }
}

static void vrtc_write(struct vrtc *r, u64 off, u32 value)
{
    u64 now = time_ns(r);

    switch (off) {
    case TIME_LOW:  r->offset_ns += field_set(now, BITS(31, 0), value) - now; break;
    case TIME_HIGH: r->offset_ns += field_set(now, BITS(63, 32), value) - now; break;
    case ALARM_LOW:
        r->alarm_ns = field_set(r->alarm_ns, BITS(31, 0), value);
        r->armed    = true;
        alarm_schedule(r);
        break;
    case ALARM_HIGH:      r->alarm_ns = field_set(r->alarm_ns, BITS(63, 32), value); break;
    case IRQ_ENABLED:     r->irq_enabled = value & 1; break;
    case CLEAR_ALARM:     r->armed = false; break;
    case CLEAR_INTERRUPT: r->pending = false; break;
    default:              break;
    }
    irq_update(r);
}

static bool vrtc_access(struct vdev *d, struct mmio *m)
{
    struct vrtc *r = vrtc_of(d);

    if (m->write)
        vrtc_write(r, m->off, (u32)m->value);
    else
        m->value = vrtc_read(r, m->off);
    return true;
}

static void vrtc_reset(struct vdev *d)
{
    struct vrtc *r = vrtc_of(d);

    memset((char *)r + sizeof r->dev, 0, sizeof *r - sizeof r->dev);
}

static void vrtc_describe(const struct vdev *d, void *fdt)
{
    static const char compatible[] = "google,goldfish-rtc";

    board_node_begin(fdt, d->ops, "rtc", compatible, sizeof compatible);
    board_node_end(fdt);
}

static void vrtc_show(const struct vdev *d, struct out *o)
{
    const struct vrtc *r = vrtc_of((struct vdev *)d);

    out_printf(o, "%s: alarm %s%s", vrtc_ops.name, r->armed ? "armed" : "off",
               r->pending ? ", pending" : "");
}

const struct vdev_ops vrtc_ops = {
    .name       = "rtc",
    .state_size = sizeof(struct vrtc),
    .sizes      = 4,
    .base       = VRTC_BASE,
    .size       = 0x24,
    .irq        = VRTC_IRQ,
    .access     = vrtc_access,
    .reset      = vrtc_reset,
    .tick       = vrtc_tick,
    .describe   = vrtc_describe,
    .show       = vrtc_show,
};

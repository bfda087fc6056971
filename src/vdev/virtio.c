// SPDX-License-Identifier: MIT
// The MMIO transport of virtio devices, version 2 (Virtio 1.2, 4.2.2; where that is silent, QEMU's
// hw/virtio/virtio-mmio.c, which the `virt` board has).
//
// In:     register accesses of a guest; what a device has to tell.
// Out:    calls of the device's operations; the interrupt line.
// Always: a register is 4 bytes wide; other widths read 0 and write nothing, but an access of 8
//         bytes is two of 4.  Status bits are set one by one and cleared only all together.  What
//         the driver may not do anymore (features after FEATURES_OK, addresses of a queue that is
//         ready) has no effect.  After STATUS has been read as 0 nothing of the device touches RAM.
// Locks:  vm->lock, held by the caller.
#include "vdev/virtio.h"

#include <libfdt.h>
#include <string.h>

#define SHM_LENGTH_LOW  0xb0 // 4.2.2
#define SHM_LENGTH_HIGH 0xb4
#define VENDOR_VALUE    0x6f6d7564 // "dumo"

static void line_update(struct virtio *d)
{
    d->dev.vm->irq_set(d->dev.vm, d->dev.ops->irq, d->interrupts);
}

// The queue that the driver has selected; NULL: there is no such.
static struct virtq *selected(struct virtio *d)
{
    return d->queue_select < d->virtio_ops->n_queues ? &d->queues[d->queue_select] : NULL;
}

static u64 offered(const struct virtio *d)
{
    u64 own = d->virtio_ops->features ? d->virtio_ops->features(d) : 0;

    return own | VIRTIO_F_VERSION_1 | VIRTIO_F_INDIRECT | VIRTIO_F_EVENT_IDX;
}

static bool is_quiet(const struct virtio *d)
{
    return !d->dev.ops->quiet || d->dev.ops->quiet(&d->dev);
}

// The half that a select register chooses.  Beyond the second there are no features.
static u64 half_mask(u32 select)
{
    return select > 1 ? 0 : select ? BITS(63, 32) : BITS(31, 0);
}

static u32 half(u64 word, u32 select)
{
    return (u32)(select > 1 ? 0 : select ? word >> 32 : word);
}

static u32 reg_read(struct virtio *d, u64 off)
{
    struct virtq *q = selected(d);

    switch (off) {
    case VIRTIO_MAGIC_VALUE:      return VIRTIO_MAGIC;
    case VIRTIO_VERSION:          return 2;
    case VIRTIO_DEVICE_ID:        return d->virtio_ops->device_id;
    case VIRTIO_VENDOR_ID:        return VENDOR_VALUE;
    case VIRTIO_DEVICE_FEATURES:  return half(offered(d), d->features_select);
    case VIRTIO_QUEUE_NUM_MAX:    return q ? d->virtio_ops->queue_size : 0;
    case VIRTIO_QUEUE_READY:      return q && q->ready;
    case VIRTIO_INTERRUPT_STATUS: return d->interrupts;
    case VIRTIO_STATUS:           return d->status;
    case SHM_LENGTH_LOW:
    case SHM_LENGTH_HIGH:          return ~0u; // 4.2.2: there is no such region
    case VIRTIO_CONFIG_GENERATION: return d->generation;
    default:                       return 0;
    }
}

static void device_reset(struct virtio *d)
{
    memset((char *)d + offsetof(struct virtio, features), 0,
           sizeof *d - offsetof(struct virtio, features));
    vdev_patient_set(&d->dev, false);
    vdev_awaited_set(&d->dev, false);
    line_update(d);
    if (d->virtio_ops->reset)
        d->virtio_ops->reset(d);
}

// 3.1.1, step 5: VERSION_1, and nothing that was not offered.
static bool features_settle(struct virtio *d)
{
    if (d->wanted & ~offered(d) || !(d->wanted & VIRTIO_F_VERSION_1))
        return false;
    d->features = d->wanted;
    return true;
}

static void driver_starts(struct virtio *d)
{
    if (d->virtio_ops->start)
        d->virtio_ops->start(d);
}

// Bits that the driver may not set now stay clear, and those that are set stay so (2.1.1).
static void status_write(struct virtio *d, u32 value, struct mmio *m)
{
    u32 added = value & 0xff & ~d->status & ~(u32)VIRTIO_NEEDS_RESET;

    if (!value) {
        m->again = !is_quiet(d);
        if (!m->again)
            device_reset(d);
        for (u32 i = 0; m->again && i < d->virtio_ops->n_queues; i++)
            d->queues[i].stopping = true;
        return;
    }
    if (added & VIRTIO_FEATURES_OK && !features_settle(d))
        added &= ~(u32)VIRTIO_FEATURES_OK;
    if (!((d->status | added) & VIRTIO_FEATURES_OK))
        added &= ~(u32)VIRTIO_DRIVER_OK;
    d->status |= added;
    if (added & VIRTIO_DRIVER_OK)
        driver_starts(d);
}

// Gives back what was taken; false: something is under way.  What is over may begin something else,
// a flush after a write, but that begins nothing more: so what ends within the first turn is given
// back in the second.
static bool all_give_back(struct virtio *d)
{
    for (int turn = 0; turn < 2; turn++) {
        if (!is_quiet(d))
            return false;
        if (d->dev.ops->tick)
            d->dev.ops->tick(&d->dev);
    }
    return true;
}

// What was taken from it is given back first, and the driver told of it; until then it tries again.
static void queue_stop(struct virtio *d, struct virtq *q, struct mmio *m)
{
    q->stopping = true;
    m->again    = !all_give_back(d);
    if (m->again)
        return;
    if (q->told_used != q->next_used)
        virtio_queue_told(d, (u32)(q - d->queues));
    q->ready = q->stopping = false;
}

static void ready_write(struct virtio *d, struct virtq *q, u32 value, struct mmio *m)
{
    if (q->ready == !!value)
        return;
    if (!value) {
        queue_stop(d, q, m);
        return;
    }
    q->event_index = d->features & VIRTIO_F_EVENT_IDX;
    if (!virtq_begin(d->dev.vm, q, d->virtio_ops->queue_size, d->virtio_ops->pieces_max))
        virtio_break(d);
}

static void queue_reg_write(struct virtio *d, u64 off, u32 value, struct mmio *m)
{
    struct virtq *q = selected(d);

    if (!q || (q->ready && off != VIRTIO_QUEUE_READY))
        return;
    switch (off) {
    case VIRTIO_QUEUE_NUM:         q->num = value; break;
    case VIRTIO_QUEUE_READY:       ready_write(d, q, value, m); break;
    case VIRTIO_QUEUE_DESC_LOW:    q->desc = gpa_half_set(q->desc, false, value); break;
    case VIRTIO_QUEUE_DESC_HIGH:   q->desc = gpa_half_set(q->desc, true, value); break;
    case VIRTIO_QUEUE_DRIVER_LOW:  q->avail = gpa_half_set(q->avail, false, value); break;
    case VIRTIO_QUEUE_DRIVER_HIGH: q->avail = gpa_half_set(q->avail, true, value); break;
    case VIRTIO_QUEUE_DEVICE_LOW:  q->used = gpa_half_set(q->used, false, value); break;
    case VIRTIO_QUEUE_DEVICE_HIGH: q->used = gpa_half_set(q->used, true, value); break;
    default:                       break;
    }
}

static void notify_write(struct virtio *d, u32 queue)
{
    if (queue < d->virtio_ops->n_queues && virtio_queue_usable(d, queue))
        d->virtio_ops->notify(d, queue);
}

static void reg_write(struct virtio *d, u64 off, u32 value, struct mmio *m)
{
    switch (off) {
    case VIRTIO_QUEUE_NOTIFY: notify_write(d, value); break;
    case VIRTIO_INTERRUPT_ACK:
        d->interrupts &= ~value;
        line_update(d);
        break;
    case VIRTIO_STATUS:              status_write(d, value, m); break;
    case VIRTIO_DEVICE_FEATURES_SEL: d->features_select = value; break;
    case VIRTIO_DRIVER_FEATURES_SEL: d->driver_select = value; break;
    case VIRTIO_DRIVER_FEATURES:
        if (!(d->status & VIRTIO_FEATURES_OK))
            d->wanted =
                bits_merge(d->wanted, value | (u64)value << 32, half_mask(d->driver_select));
        break;
    case VIRTIO_QUEUE_SEL: d->queue_select = value; break;
    default:               queue_reg_write(d, off, value, m); break;
    }
}

// Little-endian bytes, as the spaces's fields are (4.2.2.2).
static u64 config_read(const struct virtio *d, u64 off, u8 size)
{
    u8  bytes[VIRTIO_CONFIG_MAX];
    u64 value = 0;
    u32 n     = d->virtio_ops->config ? d->virtio_ops->config(d, bytes, sizeof bytes) : 0;

    if (!range_contains(0, n, off, size))
        return ~0ul;
    memcpy(&value, bytes + off, size);
    return value;
}

static void part_access(struct virtio *d, struct mmio *m)
{
    if (m->off >= VIRTIO_CONFIG)
        m->value = m->write ? 0 : config_read(d, m->off - VIRTIO_CONFIG, m->size);
    else if (m->size != 4)
        m->value = 0;
    else if (m->write)
        reg_write(d, m->off, (u32)m->value, m);
    else
        m->value = reg_read(d, m->off);
}

static void wide_access(struct virtio *d, struct mmio *m)
{
    struct mmio low  = { m->off, 4, m->write, (u32)m->value, false };
    struct mmio high = { m->off + 4, 4, m->write, m->value >> 32, false };

    part_access(d, &low);
    part_access(d, &high);
    m->value = (u32)low.value | high.value << 32;
    m->again = low.again || high.again;
}

bool virtio_access(struct vdev *v, struct mmio *m)
{
    struct virtio *d = virtio_of(v);

    if (m->off >= VIRTIO_REGS_SIZE)
        return false;
    if (UNLIKELY(m->size == 8))
        wide_access(d, m);
    else
        part_access(d, m);
    return true;
}

void virtio_reset(struct vdev *v)
{
    device_reset(virtio_of(v));
}

void virtio_describe(const struct vdev *d, void *fdt)
{
    static const char compatible[] = "virtio,mmio";

    board_node_begin(fdt, d->ops, "virtio_mmio", compatible, sizeof compatible);
    board_node_end(fdt);
}

static void queue_show(const struct virtq *q, u32 i, struct out *o)
{
    out_printf(o, ", queue %u: %u%s, taken %u, given back %u", i, q->size,
               q->broken ? " broken" : "", q->next_avail, q->next_used);
}

void virtio_show(const struct vdev *v, struct out *o)
{
    const struct virtio *d = virtio_of((struct vdev *)v);

    out_printf(o, "%s: status %02x, features %lx", v->ops->name, d->status,
               (unsigned long)d->features);
    for (u32 i = 0; i < d->virtio_ops->n_queues; i++)
        if (d->queues[i].ready)
            queue_show(&d->queues[i], i, o);
}

bool virtio_take(struct virtio *d, u32 queue, struct chain *c)
{
    switch (virtq_pop(d->dev.vm, &d->queues[queue], c)) {
    case VIRTQ_CHAIN:  return true;
    case VIRTQ_BROKEN: virtio_break(d); break;
    case VIRTQ_EMPTY:  break;
    }
    return false;
}

void virtio_queue_told(struct virtio *d, u32 queue)
{
    if (!virtq_wants_interrupt(&d->queues[queue]))
        return;
    d->interrupts |= VIRTIO_INT_USED;
    line_update(d);
}

// A driver that has not set DRIVER_OK yet is not told (2.1.2).
static void config_tell(struct virtio *d)
{
    if (!(d->status & VIRTIO_DRIVER_OK))
        return;
    d->interrupts |= VIRTIO_INT_CONFIG;
    line_update(d);
}

void virtio_break(struct virtio *d)
{
    for (u32 i = 0; i < d->virtio_ops->n_queues; i++)
        d->queues[i].broken = true;
    if (d->status & VIRTIO_NEEDS_RESET)
        return;
    d->status |= VIRTIO_NEEDS_RESET;
    config_tell(d);
}

void virtio_config_changed(struct virtio *d)
{
    d->generation++;
    config_tell(d);
}

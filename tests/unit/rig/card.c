// SPDX-License-Identifier: MIT
// The device's side of virtio over MMIO (Virtio 1.2, 4.2, 4.2.4, 2.7).
//
// In:     a driver's accesses to registers; rings in the host program's memory.
// Out:    chains; used entries; interrupts.
// Always: what a driver must not do (Virtio's "driver normative" clauses) ends the program.
// Locks:  none.
#include "rig/card.h"

#include "lib/panic.h"
#include "rig/mmio.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

static bool is_legacy(const struct card_model *c)
{
    return c->version == 1;
}

static struct card_queue *queue_of(struct card_model *c)
{
    return c->queue_sel < ARRAY_LEN(c->queues) ? &c->queues[c->queue_sel] : NULL;
}

static u32 card_read(void *arg, u64 off, unsigned size)
{
    struct card_model *c = arg;
    struct card_queue *q = queue_of(c);
    u32                value;

    if (off >= VIRTIO_CONFIG) {
        ASSERT(off - VIRTIO_CONFIG + size <= sizeof c->config && off % size == 0);
        value = 0;
        memcpy(&value, c->config + off - VIRTIO_CONFIG, size);
        return value;
    }
    ASSERT(size == 4);
    switch (off) {
    case VIRTIO_MAGIC_VALUE:       return VIRTIO_MAGIC;
    case VIRTIO_VERSION:           return c->version;
    case VIRTIO_DEVICE_ID:         return c->id;
    case VIRTIO_DEVICE_FEATURES:   return (u32)(c->offers >> (32 * c->offers_sel));
    case VIRTIO_QUEUE_NUM_MAX:     return q ? c->queue_max : 0;
    case VIRTIO_QUEUE_PFN:         ASSERT(is_legacy(c)); return q && q->ready;
    case VIRTIO_QUEUE_READY:       ASSERT(!is_legacy(c)); return q && q->ready;
    case VIRTIO_INTERRUPT_STATUS:  return c->interrupts;
    case VIRTIO_STATUS:            return c->status;
    case VIRTIO_CONFIG_GENERATION: ASSERT(!is_legacy(c)); return c->generation;
    default:                       panic("a driver reads %lx", (unsigned long)off);
    }
}

static void card_reset(struct card_model *c)
{
    c->status = c->interrupts = 0;
    c->accepts                = 0;
    c->n_resets++;
    memset(c->queues, 0, sizeof c->queues);
}

static void status_write(struct card_model *c, u32 value)
{
    if (!value && !c->no_reset)
        card_reset(c);
    if (!value)
        return;
    ASSERT(!(c->status & ~value) || value & VIRTIO_FAILED); // bits are only added (2.1.1)
    if (value & VIRTIO_FEATURES_OK && !(c->status & VIRTIO_FEATURES_OK)) {
        ASSERT(!is_legacy(c) && !(c->accepts & ~c->offers));
        if (c->no_features)
            value &= ~(u32)VIRTIO_FEATURES_OK;
    }
    if (value & VIRTIO_DRIVER_OK)
        ASSERT(is_legacy(c) || value & VIRTIO_FEATURES_OK);
    c->status = value;
}

// 2.7.2: where the parts of a legacy queue stand.
static void pfn_write(struct card_model *c, struct card_queue *q, u32 pfn)
{
    ASSERT(is_legacy(c) && c->page_size && q->num);
    q->desc  = (u64)pfn * c->page_size;
    q->avail = q->desc + 16ul * q->num;
    q->used  = align_up(q->avail + 6 + 2ul * q->num, PAGE_SIZE);
    q->ready = pfn;
}

static void half_write(u64 *to, u64 off, u32 value)
{
    *to = off & 4 ? (*to & 0xffffffff) | (u64)value << 32 : (*to & ~0xfffffffful) | value;
}

static void queue_write(struct card_model *c, struct card_queue *q, u64 off, u32 value)
{
    ASSERT(q && !q->ready && c->status & VIRTIO_DRIVER && !(c->status & VIRTIO_DRIVER_OK));
    switch (off & ~4ul) {
    case VIRTIO_QUEUE_DESC_LOW:   half_write(&q->desc, off, value); return;
    case VIRTIO_QUEUE_DRIVER_LOW: half_write(&q->avail, off, value); return;
    case VIRTIO_QUEUE_DEVICE_LOW: half_write(&q->used, off, value); return;
    default:                      panic("a driver writes %lx", (unsigned long)off);
    }
}

static void card_write(void *arg, u64 off, unsigned size, u32 value)
{
    struct card_model *c = arg;
    struct card_queue *q = queue_of(c);

    ASSERT(size == 4);
    switch (off) {
    case VIRTIO_DEVICE_FEATURES_SEL: c->offers_sel = value & 1; return;
    case VIRTIO_DRIVER_FEATURES_SEL: c->accepts_sel = value & 1; return;
    case VIRTIO_DRIVER_FEATURES:     half_write(&c->accepts, 4 * c->accepts_sel, value); return;
    case VIRTIO_GUEST_PAGE_SIZE:     c->page_size = value; return;
    case VIRTIO_QUEUE_SEL:           c->queue_sel = value; return;
    case VIRTIO_QUEUE_NUM:
        ASSERT(value && value <= c->queue_max && !(value & (value - 1)));
        q->num = value;
        return;
    case VIRTIO_QUEUE_ALIGN:         ASSERT(is_legacy(c) && value == PAGE_SIZE); return;
    case VIRTIO_QUEUE_PFN:           pfn_write(c, q, value); return;
    case VIRTIO_QUEUE_READY:         ASSERT(!is_legacy(c)); q->ready = value; return;
    case VIRTIO_QUEUE_NOTIFY:
        ASSERT(c->status & VIRTIO_DRIVER_OK && value < ARRAY_LEN(c->queues));
        c->n_notified++;
        if (c->serve)
            c->serve(c, value);
        return;
    case VIRTIO_INTERRUPT_ACK:       c->interrupts &= ~value; return;
    case VIRTIO_STATUS:              status_write(c, value); return;
    default:                         queue_write(c, q, off, value); return;
    }
}

int card_attach(struct card_model *c, void *tree, int room)
{
    fdt64_t reg[2] = { cpu_to_fdt64(c->base), cpu_to_fdt64(0x1000) };
    char    name[32];

    mmio_attach(&(struct mmio_chip){ c->base, 0x1000, card_read, card_write, c });
    snprintf(name, sizeof name, "virtio_mmio@%lx", (unsigned long)c->base);
    ASSERT(!fdt_create(tree, room) && !fdt_finish_reservemap(tree));
    fdt_begin_node(tree, "");
    fdt_property_u32(tree, "#address-cells", 2);
    fdt_property_u32(tree, "#size-cells", 2);
    fdt_begin_node(tree, name);
    fdt_property_string(tree, "compatible", "virtio,mmio");
    fdt_property(tree, "reg", reg, sizeof reg);
    fdt_property_u32(tree, "interrupts", c->irq);
    fdt_end_node(tree);
    fdt_end_node(tree);
    ASSERT(!fdt_finish(tree));
    return fdt_node_offset_by_compatible(tree, -1, "virtio,mmio");
}

struct vring_used *card_used(struct card_model *c, u32 queue)
{
    return (struct vring_used *)c->queues[queue].used;
}

static void piece_add(struct card_chain *k, const struct vring_desc *d)
{
    ASSERT(k->n < CARD_PIECES_MAX && d->len);
    k->pieces[k->n].at    = (u8 *)d->at;
    k->pieces[k->n++].len = d->len;
    if (!(d->flags & VRING_WRITE)) {
        ASSERT(k->n_out == k->n - 1); // those to read come first (2.7.4.2)
        k->n_out = k->n;
    }
}

static void table_walk(struct card_chain *k, const struct vring_desc *table, u32 n, u32 i)
{
    for (u32 steps = 0; steps <= n; steps++) {
        ASSERT(i < n && !(table[i].flags & VRING_INDIRECT));
        piece_add(k, &table[i]);
        if (!(table[i].flags & VRING_NEXT))
            return;
        i = table[i].next;
    }
    panic("a driver's chain does not end");
}

bool card_pop(struct card_model *c, u32 queue, struct card_chain *k)
{
    struct card_queue        *q     = &c->queues[queue];
    const struct vring_avail *avail = (struct vring_avail *)q->avail;
    const struct vring_desc  *d     = (struct vring_desc *)q->desc;

    if (!q->ready || q->next_avail == avail->idx)
        return false;
    *k = (struct card_chain){ .head = avail->ring[q->next_avail++ % q->num] };
    if (c->accepts & VIRTIO_F_EVENT_IDX)
        *(u16 *)&((struct vring_used *)q->used)->ring[q->num] = q->next_avail;
    ASSERT(k->head < q->num);
    if (!(d[k->head].flags & VRING_INDIRECT)) {
        table_walk(k, d, q->num, k->head);
        return true;
    }
    ASSERT(c->accepts & VIRTIO_F_INDIRECT && d[k->head].flags == VRING_INDIRECT);
    ASSERT(d[k->head].len && d[k->head].len % 16 == 0);
    c->n_indirect++;
    table_walk(k, (struct vring_desc *)d[k->head].at, d[k->head].len / 16, 0);
    return true;
}

void card_push(struct card_model *c, u32 queue, u32 head, u32 len)
{
    struct card_queue        *q     = &c->queues[queue];
    const struct vring_avail *avail = (struct vring_avail *)q->avail;
    struct vring_used        *used  = card_used(c, queue);
    u16                       old   = q->next_used;
    bool                      wanted;

    used->ring[q->next_used % q->num].id  = head;
    used->ring[q->next_used % q->num].len = len;
    used->idx                             = ++q->next_used;

    wanted = c->accepts & VIRTIO_F_EVENT_IDX
                 ? vring_passed(avail->ring[q->num], q->next_used, old)
                 : !(avail->flags & VRING_NO_INTERRUPT);
    if (wanted)
        c->interrupts |= VIRTIO_INT_USED;
}

bool card_interrupt(struct card_model *c)
{
    if (!c->interrupts)
        return false;
    ASSERT(irq_raise(c->irq));
    return true;
}

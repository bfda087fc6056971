// SPDX-License-Identifier: MIT
// A split virtqueue, the driver's side (Virtio 1.2, 2.7).
//
// In:     chains of memory for the device; what the device says it has used.
// Out:    descriptors, and the chains' tokens back.
// Always: which descriptors are whose is kept in slots that the device does not see, so that
//         whatever stands in the rings can neither give a token twice nor lead out of an array.
//         A chain of several pieces is one descriptor and an indirect table, where the device can.
// Locks:  the driver's own, around every call.
#include "arch/hart.h"
#include "dev/machine.h"
#include "dev/virtio.h"

// One block: descriptors, avail ring, used ring, slots, indirect tables.  Legacy devices want the
// used ring on the next page (2.7.2); otherwise all that one request touches is in one, if it fits.
struct layout {
    u64 avail, used, slots, tables, end;
};

static struct layout layout_of(const struct vring *r)
{
    struct layout l;
    u64           n = r->size;

    l.avail = n * sizeof(struct vring_desc);
    l.used =
        align_up(l.avail + sizeof(struct vring_avail) + 2 * n + 2, r->hw->legacy ? PAGE_SIZE : 8);
    l.slots  = align_up(l.used + sizeof(struct vring_used) + 8 * n + 2, 8);
    l.tables = align_up(l.slots + n * sizeof(struct vring_slot), 16);
    l.end    = l.tables + (r->indirect ? n * r->pieces_max * sizeof(struct vring_desc) : 0);
    return l;
}

static void memory_use(struct vring *r, u64 base, const struct layout *l)
{
    r->desc   = (struct vring_desc *)base;
    r->avail  = (struct vring_avail *)(base + l->avail);
    r->used   = (volatile struct vring_used *)(base + l->used);
    r->slots  = (struct vring_slot *)(base + l->slots);
    r->tables = (struct vring_desc *)(base + l->tables);
    r->n_free = r->size;
    for (u16 i = 0; i < r->size; i++)
        r->slots[i].next = (u16)(i + 1);
}

static void address_write(const struct virtio_hw *hw, enum virtio_reg low, const volatile void *at)
{
    mmio_write32(hw->base + low, (u32)(u64)at);
    mmio_write32(hw->base + low + 4, (u32)((u64)at >> 32));
}

// The queue has been selected.
static void memory_tell(const struct vring *r)
{
    const struct virtio_hw *hw = r->hw;

    mmio_write32(hw->base + VIRTIO_QUEUE_NUM, r->size);
    if (hw->legacy) {
        mmio_write32(hw->base + VIRTIO_QUEUE_ALIGN, PAGE_SIZE);
        mmio_write32(hw->base + VIRTIO_QUEUE_PFN, (u32)((u64)r->desc >> PAGE_SHIFT));
        return;
    }
    address_write(hw, VIRTIO_QUEUE_DESC_LOW, r->desc);
    address_write(hw, VIRTIO_QUEUE_DRIVER_LOW, r->avail);
    address_write(hw, VIRTIO_QUEUE_DEVICE_LOW, r->used);
    hart_fence_devices();
    mmio_write32(hw->base + VIRTIO_QUEUE_READY, 1);
}

// The largest power of two up to both.
static u16 size_choose(u32 wanted, u32 max)
{
    u16 size = 1;

    while (2u * size <= max && 2u * size <= wanted)
        size = (u16)(2 * size);
    return size;
}

u32 vring_size_max(const struct virtio_hw *hw, u32 queue)
{
    mmio_write32(hw->base + VIRTIO_QUEUE_SEL, queue);
    return mmio_read32(hw->base + VIRTIO_QUEUE_NUM_MAX);
}

const char *vring_make(struct vring *r, struct virtio_hw *hw, u32 queue, u32 size, u32 pieces_max)
{
    struct layout l;
    u64           base;
    u32           max = vring_size_max(hw, queue);

    if (!max || mmio_read32(hw->base + (hw->legacy ? VIRTIO_QUEUE_PFN : VIRTIO_QUEUE_READY)))
        return "one of its queues is missing or in use; it is not used";
    *r = (struct vring){ .hw          = hw,
                         .queue       = (u16)queue,
                         .size        = size_choose(size, max),
                         .pieces_max  = pieces_max,
                         .indirect    = hw->features & VIRTIO_F_INDIRECT,
                         .event_index = hw->features & VIRTIO_F_EVENT_IDX };
    if (!r->indirect && r->size < pieces_max)
        return "its queue is shorter than one request; QEMU: give it queue-size=256";
    l    = layout_of(r);
    base = ram_alloc(l.end, PAGE_SIZE);
    if (!base)
        return "there is no memory for its queue; give the machine more memory";
    if (hw->legacy && base >> PAGE_SHIFT > UINT32_MAX)
        return "a legacy device does not reach so far; QEMU: -global virtio-mmio.force-legacy=false";
    memory_use(r, base, &l);
    memory_tell(r);
    return NULL;
}

// Two words: descriptors are made for each page that a disk reads.
static ALWAYS_INLINE void desc_write(struct vring_desc *d, hpa_t at, u64 rest)
{
    d->at                   = at.a;
    *(u64 *)(void *)&d->len = rest;
}

// Writes the pieces as descriptors from `head` on; the slots give each one's successor.
static void pieces_write(struct vring *r, const struct vpiece *parts, u32 n_parts, u16 head)
{
    struct vring_desc *d    = &r->desc[head];
    u32                room = 0;
    u16                at   = head;

    for (const struct vpiece *p = parts; p < parts + n_parts; p++)
        for (u32 i = 0; i < p->n; i++) {
            d  = &r->desc[at];
            at = r->slots[at].next;
            desc_write(
                d, p->segs[i].at,
                vring_rest(p->segs[i].len, p->in ? VRING_NEXT | VRING_WRITE : VRING_NEXT, at));
            room += p->in ? p->segs[i].len : 0;
        }
    d->flags &= (u16)~VRING_NEXT;
    r->slots[head].room = room;
    r->free             = at;
}

// Entries of a table, which follow one another, from `n` on; how many bytes the device may write.
static ALWAYS_INLINE u32 part_write(struct vring_desc *table, u32 n, const struct vpiece *p)
{
    const struct seg  *end  = p->segs + p->n;
    struct vring_desc *d    = table + n;
    u64                rest = vring_rest(0, p->in ? VRING_NEXT | VRING_WRITE : VRING_NEXT, (u16)n);
    u64                sum  = 0;

    for (const struct seg *s = p->segs; s < end; s++, d++) {
        rest += VRING_NEXT_ONE;
        sum += s->len;
        desc_write(d, s->at, s->len | rest);
    }
    return p->in ? (u32)sum : 0;
}

// The chain is such a table of n entries.
static void table_put(struct vring *r, u16 head, const struct vring_desc *table, u32 n, u32 room)
{
    desc_write(&r->desc[head], hpa((u64)table),
               vring_rest(n * (u32)sizeof *table, VRING_INDIRECT, 0));
    r->slots[head].room = room;
    r->free             = r->slots[head].next;
}

static void table_write(struct vring *r, const struct vpiece *parts, u32 n_parts, u16 head)
{
    struct vring_desc *table = r->tables + head * (u64)r->pieces_max;
    u32                n = 0, room = 0;

    for (const struct vpiece *p = parts; p < parts + n_parts; p++) {
        room += part_write(table, n, p);
        n += p->n;
    }
    table[n - 1].flags &= (u16)~VRING_NEXT;
    table_put(r, head, table, n, room);
}

// What `head` begins is offered; it has so many descriptors.
static void offer(struct vring *r, u16 head, u16 n, void *token)
{
    r->slots[head].token                          = token;
    r->slots[head].n                              = n;
    r->avail->ring[r->next_avail & (r->size - 1)] = head;
    r->next_avail++;
    r->n_chains++;
    r->n_free = (u16)(r->n_free - n);
}

bool vring_add(struct vring *r, const struct vpiece *parts, u32 n_parts, void *token)
{
    u16  head = r->free, used;
    u32  n    = 0;
    bool indirect;

    for (u32 i = 0; i < n_parts; i++)
        n += parts[i].n;
    indirect = r->indirect && n > 1;
    used     = indirect ? 1 : (u16)n;
    if (!n || n > r->pieces_max || used > r->n_free || r->broken)
        return false;

    if (indirect)
        table_write(r, parts, n_parts, head);
    else
        pieces_write(r, parts, n_parts, head);
    offer(r, head, used, token);
    return true;
}

void vring_table_begin(struct vring_desc *table, const struct seg *first)
{
    desc_write(table, first->at, vring_rest(first->len, VRING_NEXT, 1));
}

void vring_table_middle(struct vring_desc *table, const struct vpiece *middle)
{
    (void)part_write(table, 1, middle);
}

void vring_table_end(struct vring_desc *last, const struct seg *piece)
{
    desc_write(last, piece->at, vring_rest(piece->len, VRING_WRITE, 0));
}

bool vring_add_table(struct vring *r, const struct vring_desc *table, u32 n, u32 room, void *token)
{
    u16 head = r->free;

    if (!r->n_free || r->broken)
        return false;
    table_put(r, head, table, n, room);
    offer(r, head, 1, token);
    return true;
}

// 2.7.13: the descriptors are seen before the index, the index before we look whether the device
// wants to be told (2.7.10).
void vring_kick(struct vring *r)
{
    u16  old = r->told, event;
    bool wanted;

    if (r->next_avail == old)
        return;
    hart_fence_devices();
    *(volatile u16 *)&r->avail->idx = r->told = r->next_avail;
    hart_fence_devices();
    event  = *(volatile u16 *)&r->used->ring[r->size];
    wanted = r->event_index ? vring_passed(event, r->next_avail, old)
                            : !(r->used->flags & VRING_NO_NOTIFY);
    if (wanted)
        mmio_write32(r->hw->base + VIRTIO_QUEUE_NOTIFY, r->queue);
}

// How far the device is, read once.  It cannot be done with more than it has.
static bool used_see(struct vring *r)
{
    u16 idx = r->used->idx;

    if ((u16)(idx - r->next_used) > r->n_chains)
        r->broken = true;
    hart_fence_devices(); // the entries are read after the index
    if (!r->broken)
        r->seen_used = idx;
    return !r->broken && idx != r->next_used;
}

// Its descriptors go to the front of the free ones.
static void chain_free(struct vring *r, u16 head)
{
    u16 last = head;

    for (u16 i = 1; i < r->slots[head].n; i++)
        last = r->slots[last].next;
    r->slots[last].next  = r->free;
    r->slots[head].token = NULL;
    r->free              = head;
    r->n_free            = (u16)(r->n_free + r->slots[head].n);
    r->n_chains--;
}

void *vring_take(struct vring *r, u32 *written)
{
    u32   id, len;
    void *token;

    if (r->broken || (r->next_used == r->seen_used && !used_see(r)))
        return NULL;
    id    = r->used->ring[r->next_used & (r->size - 1)].id;
    len   = r->used->ring[r->next_used & (r->size - 1)].len;
    token = id < r->size ? r->slots[id].token : NULL;
    // Legacy devices often give a wrong length (2.7.8.3).
    if (!token || (len > r->slots[id].room && !r->hw->legacy)) {
        r->broken = true;
        return NULL;
    }

    *written = (u32)min_u64(len, r->slots[id].room);
    __atomic_store_n(&r->next_used, (u16)(r->next_used + 1), __ATOMIC_RELAXED); // vring_is_ahead()
    chain_free(r, (u16)id);
    return token;
}

// When none is left with the device, none interrupts: so `more` is less than it has, unless none of
// all that it can have is to.
bool vring_rearm_after(struct vring *r, u32 more)
{
    if (r->event_index) {
        u16 after = (u16)(more < r->n_chains ? more : more < r->size ? 0 : r->size);

        *(volatile u16 *)&r->avail->ring[r->size] = (u16)(r->next_used + after);
        hart_fence_devices();
    }
    return !r->broken && used_see(r);
}

void *vring_abandon(struct vring *r)
{
    r->broken = true;
    for (u16 i = 0; i < r->size; i++)
        if (r->slots[i].token) {
            void *token = r->slots[i].token;

            chain_free(r, i);
            return token;
        }
    return NULL;
}

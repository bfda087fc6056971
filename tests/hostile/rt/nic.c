// SPDX-License-Identifier: MIT
// A driver of the network card in the second virtio slot (Virtio 1.2, 3.1, 2.7.13 and 5.1).
#include "nic.h"

#include <string.h>

#define NIC        (VIRTIO + 0x1000)
#define FENCE_IO() __asm__ volatile("fence iorw, iorw" ::: "memory")

volatile struct rings nic_rings[NIC_QUEUES] __attribute__((aligned(4096)));
static u16            offered[NIC_QUEUES], seen[NIC_QUEUES];

u32 nic_get(u64 reg)
{
    return peek32(NIC + reg);
}

void nic_put(u64 reg, u32 value)
{
    poke32(NIC + reg, value);
}

u64 nic_features(void)
{
    u64 low;

    nic_put(VIRTIO_FEATURES_SELECT, 0);
    low = nic_get(VIRTIO_FEATURES);
    nic_put(VIRTIO_FEATURES_SELECT, 1);
    return low | (u64)nic_get(VIRTIO_FEATURES) << 32;
}

u32 nic_negotiate(u64 features)
{
    nic_put(VIRTIO_STATUS, 0);
    nic_put(VIRTIO_STATUS, 1);
    nic_put(VIRTIO_STATUS, 3);
    for (u32 i = 0; i < 2; i++) {
        nic_put(VIRTIO_DRIVER_SELECT, i);
        nic_put(VIRTIO_DRIVER_FEATURES, (u32)(features >> (32 * i)));
    }
    nic_put(VIRTIO_STATUS, 11);
    return nic_get(VIRTIO_STATUS);
}

static void place_put(u64 reg, const volatile void *at)
{
    nic_put(reg, (u32)(u64)at);
    nic_put(reg + 4, (u32)((u64)at >> 32));
}

void nic_queue(u32 queue)
{
    volatile struct rings *r = &nic_rings[queue];

    for (size_t i = 0; i < sizeof *r; i++)
        ((volatile u8 *)r)[i] = 0;
    offered[queue] = seen[queue] = 0;
    nic_put(VIRTIO_QUEUE, queue);
    nic_put(VIRTIO_QUEUE_SIZE, QUEUE_SIZE);
    place_put(VIRTIO_DESC, r->desc);
    place_put(VIRTIO_AVAIL, &r->avail);
    place_put(VIRTIO_USED, &r->used);
    FENCE_IO();
    nic_put(VIRTIO_READY, 1);
}

void nic_start(u64 features)
{
    nic_negotiate(features);
    nic_queue(NIC_RX);
    nic_queue(NIC_TX);
    nic_put(VIRTIO_STATUS, 15);
}

void nic_desc(u32 queue, u32 i, const volatile void *at, u32 len, u16 flags, u16 next)
{
    volatile struct desc *d = &nic_rings[queue].desc[i];

    d->at    = (u64)at;
    d->len   = len;
    d->flags = flags;
    d->next  = next;
}

void nic_offer(u32 queue, u16 head)
{
    nic_rings[queue].avail.ring[offered[queue] % QUEUE_SIZE] = head;
    FENCE_IO();
    nic_rings[queue].avail.index = ++offered[queue];
}

void nic_kick(u32 queue)
{
    FENCE_IO();
    nic_put(VIRTIO_NOTIFY, queue);
}

bool nic_used(u32 queue, u32 *head, u32 *len)
{
    volatile struct rings *r = &nic_rings[queue];

    if (r->used.index == seen[queue])
        return false;
    FENCE_IO();
    *head = r->used.ring[seen[queue] % QUEUE_SIZE].head;
    *len  = r->used.ring[seen[queue] % QUEUE_SIZE].len;
    seen[queue]++;
    return true;
}

bool nic_wait(u32 queue, u64 ms, u32 *head, u32 *len)
{
    (void)wait_for(nic_rings[queue].used.index != seen[queue], ms);
    return nic_used(queue, head, len);
}

u32 nic_number(void)
{
    return peek8(NIC + VIRTIO_CONFIG + MAC_SIZE - 1);
}

void mac_make(u8 *mac, u32 n)
{
    memset(mac, 0, MAC_SIZE);
    mac[0] = 0x52;
    mac[1] = 0x54;
    mac[5] = (u8)n;
}

// SPDX-License-Identifier: MIT
// A driver of the disk in the first virtio slot (Virtio 1.2, 3.1 and 2.7.13).
#include "virtio.h"

volatile struct rings  rings __attribute__((aligned(4096)));
volatile struct header disk_header[QUEUE_SIZE];
volatile u8            disk_status[QUEUE_SIZE];
u64                    disk_patience_ms = 1000;
static u16             offered, seen;

#define FENCE() __asm__ volatile("fence rw, rw" ::: "memory")
#define FENCE_IO() __asm__ volatile("fence iorw, iorw" ::: "memory")

u64 disk_features(void)
{
    u64 low;

    disk_put(VIRTIO_FEATURES_SELECT, 0);
    low = disk_get(VIRTIO_FEATURES);
    disk_put(VIRTIO_FEATURES_SELECT, 1);
    return low | (u64)disk_get(VIRTIO_FEATURES) << 32;
}

u32 disk_negotiate(u64 features)
{
    disk_put(VIRTIO_STATUS, 0);
    disk_put(VIRTIO_STATUS, 1);
    disk_put(VIRTIO_STATUS, 3);
    for (u32 i = 0; i < 2; i++) {
        disk_put(VIRTIO_DRIVER_SELECT, i);
        disk_put(VIRTIO_DRIVER_FEATURES, (u32)(features >> (32 * i)));
    }
    disk_put(VIRTIO_STATUS, 11);
    return disk_get(VIRTIO_STATUS);
}

static void place_put(u64 reg, const volatile void *at)
{
    disk_put(reg, (u32)(u64)at);
    disk_put(reg + 4, (u32)((u64)at >> 32));
}

void disk_queue(void)
{
    for (size_t i = 0; i < sizeof rings; i++)
        ((volatile u8 *)&rings)[i] = 0;
    offered = seen = 0;
    disk_put(VIRTIO_QUEUE, 0);
    disk_put(VIRTIO_QUEUE_SIZE, QUEUE_SIZE);
    place_put(VIRTIO_DESC, rings.desc);
    place_put(VIRTIO_AVAIL, &rings.avail);
    place_put(VIRTIO_USED, &rings.used);
    FENCE_IO();
    disk_put(VIRTIO_READY, 1);
}

void disk_start(u64 features)
{
    disk_negotiate(features);
    disk_queue();
    disk_put(VIRTIO_STATUS, 15);
}

void disk_offer(u16 head)
{
    rings.avail.ring[offered % QUEUE_SIZE] = head;
    FENCE();
    rings.avail.index = ++offered;
}

void disk_kick(void)
{
    FENCE_IO();
    disk_put(VIRTIO_NOTIFY, 0);
}

bool disk_wait(u32 *head, u32 *len)
{
    if (!wait_for(rings.used.index != seen, disk_patience_ms))
        return false;
    FENCE();
    *head = rings.used.ring[seen % QUEUE_SIZE].head;
    *len  = rings.used.ring[seen % QUEUE_SIZE].len;
    seen++;
    return true;
}

static void desc_set(u32 i, const volatile void *at, u32 len, u32 flags, u32 next)
{
    rings.desc[i].at    = (u64)at;
    rings.desc[i].len   = len;
    rings.desc[i].flags = (u16)flags;
    rings.desc[i].next  = (u16)next;
}

void disk_describe(u16 n, u32 type, u64 sector, void *data, u32 len)
{
    u32 first = 3u * n, in = type == T_IN || type == T_GET_ID ? DESC_WRITE : 0;

    disk_header[n].type     = type;
    disk_header[n].reserved = 0;
    disk_header[n].sector   = sector;
    disk_status[n]          = 0xaa;
    desc_set(first, &disk_header[n], sizeof disk_header[n], DESC_NEXT, first + (len ? 1 : 2));
    desc_set(first + 1, data, len, DESC_NEXT | in, first + 2);
    desc_set(first + 2, &disk_status[n], 1, DESC_WRITE, 0);
}

u8 disk_request(u32 type, u64 sector, void *data, u32 len, u32 *told)
{
    u32 head;

    disk_describe(0, type, sector, data, len);
    disk_offer(0);
    disk_kick();
    if (!disk_wait(&head, told) || head)
        return 0xee;
    return disk_status[0];
}

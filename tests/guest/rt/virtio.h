// SPDX-License-Identifier: MIT
// A driver of the disk in the board's first virtio slot (Virtio 1.2, 2.7, 4.2 and 5.2): one queue,
// and requests that a guest makes right or wrong.
#pragma once

#include "board.h"

#define DISK         VIRTIO
#define IRQ_DISK     1
#define QUEUE_SIZE   64
#define SECTOR       512
#define DESC_NEXT     1
#define DESC_WRITE    2
#define DESC_INDIRECT 4

enum { VIRTIO_DEVICE_ID = 0x08, VIRTIO_FEATURES = 0x10, VIRTIO_FEATURES_SELECT = 0x14,
       VIRTIO_DRIVER_FEATURES = 0x20, VIRTIO_DRIVER_SELECT = 0x24, VIRTIO_QUEUE = 0x30,
       VIRTIO_QUEUE_MAX = 0x34, VIRTIO_QUEUE_SIZE = 0x38, VIRTIO_READY = 0x44,
       VIRTIO_NOTIFY = 0x50, VIRTIO_INTERRUPTS = 0x60, VIRTIO_ACK = 0x64, VIRTIO_STATUS = 0x70,
       VIRTIO_DESC = 0x80, VIRTIO_AVAIL = 0x90, VIRTIO_USED = 0xa0, VIRTIO_GENERATION = 0xfc,
       VIRTIO_CONFIG = 0x100 };

enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };

#define F_FLUSH        (1ul << 9)
#define F_DISCARD      (1ul << 13)
#define F_WRITE_ZEROES (1ul << 14)
#define F_INDIRECT     (1ul << 28)
#define F_EVENT_IDX    (1ul << 29)
#define F_VERSION_1    (1ul << 32)

struct desc {
    u64 at;
    u32 len;
    u16 flags, next;
};

struct rings {
    struct desc desc[QUEUE_SIZE];
    struct {
        u16 flags, index, ring[QUEUE_SIZE], used_event;
    } avail;
    struct {
        u16 flags, index;
        struct {
            u32 head, len;
        } ring[QUEUE_SIZE];
        u16 avail_event;
    } used __attribute__((aligned(4)));
};

extern volatile struct rings rings __attribute__((aligned(4096)));

static inline u32 disk_get(u64 reg)
{
    return peek32(DISK + reg);
}

static inline void disk_put(u64 reg, u32 value)
{
    poke32(DISK + reg, value);
}

u64  disk_features(void);       // offered
// From a reset to FEATURES_OK; what the status then is.
u32  disk_negotiate(u64 features);
void disk_queue(void);          // makes the queue ready
void disk_start(u64 features);  // all, to DRIVER_OK

// Offers a chain; disk_kick() says so.
void disk_offer(u16 head);
void disk_kick(void);
// Waits until one more was given back; false: none was, in so long.
extern u64 disk_patience_ms;
bool disk_wait(u32 *head, u32 *len);
// A whole request with descriptors 0 to 2, to its end: its status, or 0xaa if none was written.
u8   disk_request(u32 type, u64 sector, void *data, u32 len, u32 *told);

struct header {
    u32 type, reserved;
    u64 sector;
};
extern volatile struct header disk_header[QUEUE_SIZE];
extern volatile u8            disk_status[QUEUE_SIZE];
// The three descriptors of request n, at 3 * n, not offered yet.
void disk_describe(u16 n, u32 type, u64 sector, void *data, u32 len);

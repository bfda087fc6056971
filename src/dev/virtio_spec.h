// SPDX-License-Identifier: MIT
// What the Virtio specification fixes (Virtio 1.2): registers of the MMIO transport (4.2.2, 4.2.4),
// status bits (2.1), feature bits (6), the split ring (2.7).  For drivers and for devices.
#pragma once

#include "lib/bits.h"

#define VIRTIO_MAGIC 0x74726976

enum virtio_reg {
    VIRTIO_MAGIC_VALUE         = 0x000,
    VIRTIO_VERSION             = 0x004,
    VIRTIO_DEVICE_ID           = 0x008,
    VIRTIO_VENDOR_ID           = 0x00c,
    VIRTIO_DEVICE_FEATURES     = 0x010,
    VIRTIO_DEVICE_FEATURES_SEL = 0x014,
    VIRTIO_DRIVER_FEATURES     = 0x020,
    VIRTIO_DRIVER_FEATURES_SEL = 0x024,
    VIRTIO_GUEST_PAGE_SIZE     = 0x028, // legacy
    VIRTIO_QUEUE_SEL           = 0x030,
    VIRTIO_QUEUE_NUM_MAX       = 0x034,
    VIRTIO_QUEUE_NUM           = 0x038,
    VIRTIO_QUEUE_ALIGN         = 0x03c, // legacy
    VIRTIO_QUEUE_PFN           = 0x040, // legacy
    VIRTIO_QUEUE_READY         = 0x044,
    VIRTIO_QUEUE_NOTIFY        = 0x050,
    VIRTIO_INTERRUPT_STATUS    = 0x060,
    VIRTIO_INTERRUPT_ACK       = 0x064,
    VIRTIO_STATUS              = 0x070,
    VIRTIO_QUEUE_DESC_LOW      = 0x080,
    VIRTIO_QUEUE_DESC_HIGH     = 0x084,
    VIRTIO_QUEUE_DRIVER_LOW    = 0x090,
    VIRTIO_QUEUE_DRIVER_HIGH   = 0x094,
    VIRTIO_QUEUE_DEVICE_LOW    = 0x0a0,
    VIRTIO_QUEUE_DEVICE_HIGH   = 0x0a4,
    VIRTIO_CONFIG_GENERATION   = 0x0fc,
    VIRTIO_CONFIG              = 0x100,
};

enum virtio_status {
    VIRTIO_ACKNOWLEDGE = 1,
    VIRTIO_DRIVER      = 2,
    VIRTIO_DRIVER_OK   = 4,
    VIRTIO_FEATURES_OK = 8,
    VIRTIO_NEEDS_RESET = 64,
    VIRTIO_FAILED      = 128,
};

#define VIRTIO_INT_USED   1 // InterruptStatus
#define VIRTIO_INT_CONFIG 2

// Device IDs (5)
#define VIRTIO_ID_NET     1
#define VIRTIO_ID_BLOCK   2
#define VIRTIO_ID_CONSOLE 3
#define VIRTIO_ID_ENTROPY 4

// Features of every device
#define VIRTIO_F_INDIRECT  BIT(28)
#define VIRTIO_F_EVENT_IDX BIT(29)
#define VIRTIO_F_VERSION_1 BIT(32)

// Block devices (5.2)
#define VIRTIO_BLK_F_SIZE_MAX     BIT(1)
#define VIRTIO_BLK_F_SEG_MAX      BIT(2)
#define VIRTIO_BLK_F_RO           BIT(5)
#define VIRTIO_BLK_F_BLK_SIZE     BIT(6)
#define VIRTIO_BLK_F_FLUSH        BIT(9)
#define VIRTIO_BLK_F_DISCARD      BIT(13)
#define VIRTIO_BLK_F_WRITE_ZEROES BIT(14)

enum virtio_blk_type {
    VIRTIO_BLK_IN           = 0,
    VIRTIO_BLK_OUT          = 1,
    VIRTIO_BLK_FLUSH        = 4,
    VIRTIO_BLK_GET_ID       = 8,
    VIRTIO_BLK_DISCARD      = 11,
    VIRTIO_BLK_WRITE_ZEROES = 13,
};

enum virtio_blk_answer { VIRTIO_BLK_OK, VIRTIO_BLK_IOERR, VIRTIO_BLK_UNSUPP };

struct virtio_blk_header {
    u32 type, reserved;
    u64 sector;
};

// The data of DISCARD and WRITE_ZEROES
struct virtio_blk_range {
    u64 sector;
    u32 n_sectors;
    u32 flags; // bit 0: unmap
};

// Where fields stand in the configuration space
enum virtio_blk_config {
    VIRTIO_BLK_CAPACITY    = 0,
    VIRTIO_BLK_SIZE_MAX    = 8,
    VIRTIO_BLK_SEG_MAX     = 12,
    VIRTIO_BLK_BLK_SIZE    = 20,
    VIRTIO_BLK_NUM_QUEUES  = 34,
    VIRTIO_BLK_DISCARD_MAX = 36, // sectors, segments, alignment
    VIRTIO_BLK_ZEROES_MAX  = 48, // sectors, segments, one byte: may unmap
    VIRTIO_BLK_CONFIG_END  = 60,
};

// The split ring
struct vring_desc {
    u64 at;
    u32 len;
    u16 flags, next;
};
#define VRING_NEXT     1 // flags of a descriptor
#define VRING_WRITE    2 // the device writes there
#define VRING_INDIRECT 4
// What follows the address, as one word.
#define VRING_NEXT_ONE BIT(48)
static inline u64 vring_rest(u64 len, u64 flags, u64 next)
{
    return len | flags << 32 | next * VRING_NEXT_ONE;
}

struct vring_avail {
    u16 flags, idx;
    u16 ring[]; // as many as the queue has, then used_event
};
#define VRING_NO_INTERRUPT 1

struct vring_used {
    u16 flags, idx;
    struct vring_used_elem {
        u32 id, len;
    } ring[]; // as many as the queue has, then avail_event, a u16
};
#define VRING_NO_NOTIFY 1

// The index has gone from `old` to `now`: has it passed `event`?  (2.7.7.2, 2.7.10.1)
static inline bool vring_passed(u16 event, u16 now, u16 old)
{
    return (u16)(now - event - 1) < (u16)(now - old);
}

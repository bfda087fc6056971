// SPDX-License-Identifier: MIT
// What the virtual disk says of itself (Virtio 1.2, 5.2.3, 5.2.4).
//
// In:     the block device that the VM was given.
// Out:    feature bits; the configuration space; a request's status.
// Always: it promises no more than the device beneath does.
// Locks:  vm->lock, held by the caller.
#include "vdev/vblk.h"

#include "dev/blk.h"
#include "lib/bits.h"

#include <string.h>

bool vblk_present(const struct vm *vm)
{
    return vm->disk;
}

bool vblk_is_over(const struct vdev *d)
{
    return blk_is_over(d->vm->disk);
}

u64 vblk_features(const struct virtio *d)
{
    const struct blkdev *disk = d->dev.vm->disk;

    return VIRTIO_BLK_F_SIZE_MAX | VIRTIO_BLK_F_SEG_MAX | VIRTIO_BLK_F_BLK_SIZE |
           (disk->read_only ? VIRTIO_BLK_F_RO : 0) | (disk->has_flush ? VIRTIO_BLK_F_FLUSH : 0) |
           (disk->discard_max && !disk->read_only ? VIRTIO_BLK_F_DISCARD : 0) |
           (disk->zeroes_max && !disk->read_only ? VIRTIO_BLK_F_WRITE_ZEROES : 0);
}

static void put64(u8 *to, u64 value)
{
    memcpy(to, &value, sizeof value);
}

static void put32(u8 *to, u64 value)
{
    memcpy(to, &(u32){ (u32)min_u64(value, ~0u) }, 4);
}

// No driver that keeps to seg_max and size_max makes a request that is too long for the device.  A
// piece can be a page, if a request can: Linux wants no less.
u32 vblk_config(const struct virtio *d, u8 *to, u32 room)
{
    const struct blkdev *disk  = d->dev.vm->disk;
    u64                  whole = disk->sectors_max * SECTOR_SIZE / PAGE_SIZE;
    u64 segs = max_u64(1, min_u64(whole, min_u64(CHAIN_SEGS_MAX - 2, disk->segs_max)));
    u64 size = min_u64(BIT(30), disk->sectors_max) * SECTOR_SIZE / segs;

    memset(to, 0, room);
    put64(to + VIRTIO_BLK_CAPACITY, disk->n_sectors);
    put32(to + VIRTIO_BLK_SIZE_MAX, align_down(min_u64(size, BIT(31)), disk->block_size));
    put32(to + VIRTIO_BLK_SEG_MAX, segs);
    put32(to + VIRTIO_BLK_BLK_SIZE, disk->block_size);
    to[VIRTIO_BLK_NUM_QUEUES] = 1;
    put32(to + VIRTIO_BLK_DISCARD_MAX, disk->discard_max);
    put32(to + VIRTIO_BLK_DISCARD_MAX + 4, 1); // one range at a time
    put32(to + VIRTIO_BLK_DISCARD_MAX + 8, disk->block_size / SECTOR_SIZE);
    put32(to + VIRTIO_BLK_ZEROES_MAX, disk->zeroes_max);
    put32(to + VIRTIO_BLK_ZEROES_MAX + 4, 1);
    to[VIRTIO_BLK_ZEROES_MAX + 8] = 1; // it may unmap
    return VIRTIO_BLK_CONFIG_END;
}

u8 vblk_status(enum blk_status s)
{
    switch (s) {
    case BLK_OK:          return VIRTIO_BLK_OK;
    case BLK_UNSUPPORTED: return VIRTIO_BLK_UNSUPP;
    case BLK_IO_ERROR:
    case BLK_BAD_RANGE:
    case BLK_READ_ONLY: break;
    }
    return VIRTIO_BLK_IOERR;
}

// SPDX-License-Identifier: MIT
// What the virtual disk says of itself, for its table of operations.
#pragma once

#include "dev/blk.h"
#include "vdev/virtio.h"

bool vblk_present(const struct vm *vm);
bool vblk_is_over(const struct vdev *d);
u64  vblk_features(const struct virtio *d);
u32  vblk_config(const struct virtio *d, u8 *to, u32 room);
u8   vblk_status(enum blk_status s); // VIRTIO_BLK_OK, ..._IOERR or ..._UNSUPP

// SPDX-License-Identifier: MIT
// The virtio slots in which a machine without disks or cards has nothing: the magic, and device
// number 0.  A VM has its source of entropy in slot 3.
// Shows: D8
#include "board.h"

GUEST(virtio_empty)
{
    for (u64 slot = 0; slot < 8; slot++) {
        u64 at = VIRTIO + slot * 0x1000;

        if (slot == 3)
            continue;
        printf("slot %lu: magic %lx device %lx features %lx queue size %lx status %lx\n", slot,
               peek32(at), peek32(at + 8), peek32(at + 0x10), peek32(at + 0x34),
               peek32(at + 0x70));
    }
}

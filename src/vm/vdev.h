// SPDX-License-Identifier: MIT
// Virtual devices: what the bus needs of each.
#pragma once

#include "lib/out.h"

struct vm;
struct vdev;

// One access to a device: numbers, never an instruction or a register of the guest's.
struct mmio {
    u64  off;  // from the device's base, aligned to size
    u8   size; // 1, 2, 4 or 8, one that the device allows
    bool write;
    u64  value; // written; or to be read, zero-extended
    bool again; // set by a device that cannot do it yet: the guest tries the access again
};

struct vdev_ops {
    const char *name; // as configurations call it
    u32         state_size;
    u8          sizes;  // legal widths: 1 | 2 | 4 | 8
    bool        m_only; // firmware's: closed to vS, as OpenSBI closes it
    u64         base, size;
    u32         irq;
    bool (*present)(const struct vm *vm);           // does this VM have one?  NULL: each has
    bool (*access)(struct vdev *d, struct mmio *m); // false: access fault
    void (*reset)(struct vdev *d);                  // NULL: it has no state
    // Its deadline has come, or somebody has kicked it; NULL: neither can be.
    void (*tick)(struct vdev *d);
    // Is nothing under way that touches the VM's RAM?  NULL: never.  Called without a lock.
    bool (*quiet)(const struct vdev *d);
    // It has something under way: is it over, so that tick() would find it?  NULL: it never has.
    // Called without a lock.
    bool (*is_over)(const struct vdev *d);
    // The VM's console has room again, or a byte to read; NULL: it is none of its affair.
    void (*console_ready)(struct vdev *d);
    void (*describe)(const struct vdev *d, void *fdt); // its own device-tree node
    void (*show)(const struct vdev *d, struct out *o); // its own line in the monitor
};

struct vdev {
    const struct vdev_ops *ops;
    struct vm             *vm;
    u32                    number; // on its bus
};

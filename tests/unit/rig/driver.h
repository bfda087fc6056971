// SPDX-License-Identifier: MIT
// A guest's driver of one virtio device, on the desk: registers, and one queue in the VM's RAM.  It
// does what a test says, right or wrong.
#pragma once

#include "rig/rig.h"

#define DESC_NEXT     1
#define DESC_WRITE    2
#define DESC_INDIRECT 4

// Registers (Virtio 1.2, 4.2.2).
enum {
    V_MAGIC           = 0x00,
    V_VERSION         = 0x04,
    V_DEVICE          = 0x08,
    V_VENDOR          = 0x0c,
    V_FEATURES        = 0x10,
    V_FEATURES_SELECT = 0x14,
    V_DRIVER_FEATURES = 0x20,
    V_DRIVER_SELECT   = 0x24,
    V_QUEUE           = 0x30,
    V_QUEUE_MAX       = 0x34,
    V_QUEUE_SIZE      = 0x38,
    V_READY           = 0x44,
    V_NOTIFY          = 0x50,
    V_INTERRUPTS      = 0x60,
    V_ACK             = 0x64,
    V_STATUS          = 0x70,
    V_DESC            = 0x80,
    V_AVAIL           = 0x90,
    V_USED            = 0xa0,
    V_GENERATION      = 0xfc,
    V_CONFIG          = 0x100,
};

struct driver {
    struct rig *r;
    u64         base; // of the device
    u32         queue, size;
    u64         desc, avail, used; // guest-physical
    u16         offered, seen;     // free-running
};

u32  driver_get(const struct driver *d, u64 reg);
void driver_put(const struct driver *d, u64 reg, u32 value);
u64  driver_features(const struct driver *d); // that the device offers
// Status up to FEATURES_OK; what the status then is.
u32 driver_negotiate(const struct driver *d, u64 features);
// Makes its queue ready, of `size`, its parts from `at` on; and DRIVER_OK.
void driver_queue(struct driver *d, u64 at);
void driver_start(struct driver *d, u64 features, u64 at);

void driver_desc(const struct driver *d, u64 table, u32 i, u64 at, u32 len, u16 flags, u16 next);
void driver_offer(struct driver *d, u16 head); // without notifying
void driver_notify(const struct driver *d);
// The next used entry; false: there is none.
bool driver_used(struct driver *d, u32 *head, u32 *len);

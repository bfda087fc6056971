// SPDX-License-Identifier: MIT
// A virtual machine's bus: which device owns which address.
#pragma once

#include "lib/types.h"
#include "vm/vdev.h"

#define BUS_DEVICES_MAX 24

struct bus {
    struct vdev *devices[BUS_DEVICES_MAX];
    unsigned     n;
    u64          deadline; // the first of the devices' own, in ticks; ~0: none
};

struct vcpu;

// False: the bus is full.
MUST_CHECK bool bus_add(struct bus *b, struct vdev *d);
// 1 + the place of the device that owns the address; 0: nobody does.
u8 bus_owner_number(const struct bus *b, gpa_t at);
// One access by a vCPU.  False: nobody owns the address, or its owner refuses: an access fault.
bool bus_access(struct bus *b, struct vcpu *v, gpa_t at, unsigned size, bool write, u64 *value);
void bus_reset(struct bus *b);
// If the deadline has come: calls the devices whose it is, and finds the next.
void bus_tick(struct bus *b, u64 now_ticks);
// A device wants its tick() at that time; ~0: no more.
void vdev_deadline_set(struct vdev *d, u64 deadline_ticks);

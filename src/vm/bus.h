// SPDX-License-Identifier: MIT
// A virtual machine's bus: which device owns which address.
#pragma once

#include "lib/types.h"
#include "vm/vdev.h"

#define BUS_DEVICES_MAX 24

struct bus {
    struct vdev *devices[BUS_DEVICES_MAX];
    unsigned     n;
    u64          deadline;                   // the first of the devices' own, in ticks; ~0: none
    u64          deadlines[BUS_DEVICES_MAX]; // here, for a look at each device is a page
    u32          kicked;                     // bit n: somebody has kicked device n; atomic
    u32          patient; // bit n: device n holds something back while its VM is busy
    u32          awaited; // bit n: device n has something under way, and sees when it is over;
                          // atomic
    bool lingers;         // a vCPU asks for that again and again, so nothing need interrupt
};

// How an access ended.
enum bus_answer {
    BUS_DONE,
    BUS_FAULT, // nobody owns the address, or its owner refuses: an access fault
    BUS_AGAIN, // the device cannot do it yet; nothing has happened
};

struct vcpu;

// False: the bus is full.
MUST_CHECK bool bus_add(struct bus *b, struct vdev *d);
// 1 + the place of the device that owns the address; 0: nobody does.
u8 bus_owner_number(const struct bus *b, gpa_t at);
// The device that a vCPU may so access, and where in it; NULL: nobody owns the address, or its
// owner does not allow it.
struct vdev *bus_find(struct bus *b, const struct vcpu *v, gpa_t at, unsigned size, u64 *off);
// One access to what bus_find() has found.
enum bus_answer vdev_access(struct vdev *d, u64 off, unsigned size, bool write, u64 *value);
void            bus_reset(struct bus *b);
// Is nothing under way in any device that touches the VM's RAM?  Without a lock.
bool bus_is_quiet(const struct bus *b);
// Calls the devices that were kicked.
void bus_answer_kicks(struct bus *b);
// The VM has nothing to do: calls the devices that hold something back.
void bus_idle(struct bus *b);
// Calls the devices of which there are bits; or kicks them: they are called when the VM runs.
void bus_look(struct bus *b, u32 which);
void bus_kick(struct bus *b, u32 which);
// The devices that have something under way; is it over in one of them?  Without a lock.
static inline u32 bus_awaits(const struct bus *b)
{
    return __atomic_load_n(&b->awaited, __ATOMIC_RELAXED);
}
bool bus_is_over(const struct bus *b);
// If the deadline has come: calls the devices whose it is, and finds the next.
void bus_tick(struct bus *b, u64 now_ticks);
// A device wants its tick() at that time; ~0: no more.
void vdev_deadline_set(struct vdev *d, u64 deadline_ticks);
u64  vdev_deadline(const struct vdev *d);
// It holds something back while its VM is busy: bus_idle() calls its tick().
void vdev_patient_set(struct vdev *d, bool patient);
// It has something under way of which is_over() tells.
void vdev_awaited_set(struct vdev *d, bool awaited);
// From any hart and from an interrupt, with or without vm->lock: the device's tick() is called
// soon, under vm->lock, at the cost of its own VM's first vCPU, which wakes for it.
void vdev_kick(struct vdev *d);
// From here on kicks wake nobody, for the caller looks at what they are about after the release.
void vdev_kicks_hold(struct vdev *d);
void vdev_kicks_release(struct vdev *d);

// SPDX-License-Identifier: MIT
// An operator at the desk: VMs on the rig with consoles, keys that are typed, what the line shows.
#pragma once

#include "mon/console.h"
#include "rig/rig.h"

#define DESK_VMS 3

struct desk {
    struct rig *r[DESK_VMS]; // "one", "two", "three"; the first has the keyboard
};

void desk_make(struct desk *d);
void desk_free(struct desk *d);

void desk_type(const char *keys);
// What a VM prints, by its console's functions; false: some of it found no room.
bool desk_print(struct rig *r, const char *text);
// The line has room again, or has had it: what waits for it is sent.
void desk_ready(void);
// What has been shown since the last call.
const char *desk_shown(void);
void        desk_ticks(unsigned n);
// The scheduler would do it: what is to end ends, what is to start starts.
void desk_settle(struct desk *d);

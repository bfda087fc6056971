// SPDX-License-Identifier: MIT
// What the operator's line shows: one VM, all of them, or the monitor.
#pragma once

#include "arch/lock.h"
#include "lib/vt.h"
#include "vm/vm.h"

struct view {
    struct lock lock;     // of what is here, of the VMs' struct console, and of the sender
    bool        monitor;  // has the line, and the keyboard: no VM is shown
    bool        all;      // otherwise: all VMs are shown, line by line
    bool        stale;    // the monitor's own line was written over
    struct vm  *vm;       // has the keyboard, and is shown unless `all`; NULL: none yet
    struct vt   terminal; // what the VM that is shown has done to it
};
extern struct view view;

// With the lock held:
bool view_shows(const struct vm *vm);
// The terminal is made fit for a line of the monitor's; `text` is written.
void view_say(const char *text, size_t len);

// Without any lock, on the boot hart:
void view_vm(struct vm *vm); // shows it alone: what it kept, then what comes; it has the keyboard
void view_all(void);
void view_next(void);
void view_monitor(void);
void view_back(void); // to what was shown before the monitor
// All VMs look whether they can go on printing: soon, a few of them in each part.
void view_wake(void);
bool view_wakes(void); // there is another part
void view_wake_part(void);

// SPDX-License-Identifier: MIT
// The operator's line: the monitor's own lines, and the virtual machines' consoles.
#pragma once

#include "lib/vt.h"
#include "vm/vm.h"

#define CONSOLE_TYPED 1024 // powers of two
#define CONSOLE_KEPT  16384
#define CONSOLE_LINE  200

// A VM's console; in its control memory.  The view's lock protects it.
struct console {
    unsigned         number;   // of its VM, from 1 on: Ctrl-] 1 shows it
    bool             is_quiet; // not among those that are shown together
    bool             is_deaf;  // has not read for long, with all of `typed` full
    u8               deaf_ticks;
    u32              typed_in, typed_out; // free-running, as all of these
    u32              kept_in, kept_seen;  // seen: until where it was shown
    struct vt_filter filter;              // for `line`
    u32              line_len;
    u32              line_ticks; // how long it has been waiting for its end
    bool             line_returned;
    char             line[CONSOLE_LINE]; // where all are shown: what has come of the line
    u8               typed[CONSOLE_TYPED];
    char             kept[CONSOLE_KEPT]; // the scroll-back
};

// Takes the serial line; the log goes there.  Boot, after the devices were probed.
void console_init(void);
// Connects a VM's console (vm->console); the first one connected has the keyboard.
void console_attach(struct vm *vm);
// This one has the keyboard when the machine starts; that one is not shown unless asked for.
void console_keyboard(struct vm *vm);
void console_quiet(struct vm *vm);
// The machine starts with all VMs shown.
void console_show_all(void);
// Tells, once, how to reach the others.  After the last console_attach().
void console_hint(void);

// Waits, a bounded time, until all has been sent.
void console_drain(void);
// From now on lines go to the wire at once, past all locks: the monitor's last words.
void console_last_words(void);

// Five times a second, on the boot hart.
void console_tick(void);

// Sends what waits, a little of it; boot hart.  True: more could be sent at once.
bool console_send(void);

// A byte for the VM that has the keyboard.
void console_type(u8 byte);
// Input stays with its sender while we cannot take it.  With the view's lock held.
void console_hold_update(void);

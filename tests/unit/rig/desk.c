// SPDX-License-Identifier: MIT
// The operator's desk.
//
// In:     keys, a guest's output.
// Out:    what the serial line shows.
// Always: the monitor's console is the real one; only the line is not.
// Locks:  none.
#include "rig/desk.h"

#include "dev/machine.h"
#include "lib/panic.h"
#include "mon/job.h"
#include "mon/logbook.h"
#include "mon/sender.h"
#include "mon/tick.h"
#include "mon/view.h"
#include "vm/runq.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTS_MOST 1000 // of one job, and of what waits

static size_t shown_until;

static void vm_ended(struct vm *vm)
{
    vm->state = vm->end == VM_END_RESET ? VM_RUNNING : VM_OFF;
    vm->starts += vm->end == VM_END_RESET;
}

// A guest that reads nothing by itself.
static void not_read(struct vm *vm)
{
    (void)vm;
}

void desk_make(struct desk *d)
{
    static const char *const names[DESK_VMS] = { "one", "two", "three" };

    bench_reset();
    memset(&view, 0, sizeof view);
    sender_forget();
    logbook_clear();
    console_init();
    for (unsigned i = 0; i < DESK_VMS; i++) {
        struct vm *vm = &(d->r[i] = rig_make(NULL))->vm;

        snprintf(vm->name, sizeof vm->name, "%s", names[i]);
        vm->console = calloc(1, sizeof *vm->console);
        vm->on_end  = vm_ended;

        vm->console_ready = not_read;
        ASSERT(vm->console);
        console_attach(vm);
    }
    tick_start();
    shown_until = 0;
    chips.serial_input(NULL, 0); // any key sequence of another test ends
    while (vms[0]->console_read(vms[0]) >= 0)
        ;
    runq_join();
    chips.n_serial = 0;
}

// As long as the line takes what it tells.
static void job_finish(void)
{
    for (int n = 0; (job_is_on() || sender_waiting()) && n < PARTS_MOST; n++)
        sched_alarm.ring();
}

void desk_free(struct desk *d)
{
    chips.serial_room = RIG_TEXT;
    chips.n_serial    = 0;
    job_finish();
    for (unsigned i = 0; i < DESK_VMS; i++) {
        free(d->r[i]->vm.console);
        rig_free(d->r[i]);
    }
}

void desk_type(const char *keys)
{
    for (; *keys; keys++) {
        chips.serial_input(chips.serial_arg, (u8)*keys);
        job_finish();
    }
}

bool desk_print(struct rig *r, const char *text)
{
    for (; *text; text++) {
        if (!r->vm.console_room(&r->vm))
            return false;
        r->vm.console_write(&r->vm, text, 1);
    }
    return true;
}

void desk_ready(void)
{
    chips.serial_room = RIG_TEXT;
    chips.serial_ready(NULL);
    job_finish();
}

const char *desk_shown(void)
{
    static char text[RIG_TEXT + 1];
    size_t      len = chips.n_serial - shown_until;

    memcpy(text, chips.serial + shown_until, len);
    text[len]   = 0;
    shown_until = chips.n_serial;
    return text;
}

void desk_ticks(unsigned n)
{
    while (n--) {
        fake_hart.time += machine.timebase_hz / 5;
        sched_alarm.ring();
        job_finish();
    }
}

void desk_settle(struct desk *d)
{
    for (unsigned i = 0; i < DESK_VMS; i++)
        if (d->r[i]->vm.state == VM_STOPPED)
            d->r[i]->vm.on_end(&d->r[i]->vm);
}

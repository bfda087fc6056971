// SPDX-License-Identifier: MIT
// The view.
//
// In:     a person's choice.
// Out:    what the terminal shows: a line of ours, what the VM has printed, then what it prints.
// Always: a line of ours stands on a terminal that no guest's escape sequence has touched.  Who is
//         not shown sends nothing to the terminal; what it has kept is shown as mere text, since
//         sequences in it could ask the terminal for an answer, which would be typed.
// Locks:  view.lock; a VM's own is taken without it.
#include "mon/view.h"

#include "mon/console.h"
#include "mon/job.h"
#include "mon/sender.h"
#include "mon/tick.h"

#include <string.h>

#define TAIL_LINES 20   // are shown again, even if they were seen
#define TAIL_MOST  100  // lines, even if more were not seen
#define SCAN_BYTES 1024 // in one part
#define SHOW_BYTES 128
#define WAKE_PART  4 // VMs that are told of room

struct view view;

bool view_shows(const struct vm *vm)
{
    if (view.monitor)
        return false;
    return view.all ? !vm->console->is_quiet : vm == view.vm;
}

void view_say(const char *text, size_t len)
{
    if (view.monitor) {
        sender_put("\r\x1b[K", 4);
        view.stale = true;
    } else
        vt_restore(&view.terminal, &sender_raw);
    sender_text.write(&sender_text, text, len);
}

// Showing what a VM has kept, from one part to the next.
static struct {
    struct console *c;
    enum { TAIL_SCAN, TAIL_SKIP, TAIL_SHOW } phase;
    u32              at, end, lines; // end: what comes later is shown as it comes
    struct vt_filter filter;
} tail;

static char tail_byte(u32 at)
{
    return tail.c->kept[at % CONSOLE_KEPT];
}

// Where to begin: with what was not seen yet, or some lines before the end; but not within a line.
static void tail_scan(void)
{
    u32 kept   = (u32)min_u64(tail.end, CONSOLE_KEPT);
    u32 unseen = (u32)min_u64(tail.end - tail.c->kept_seen, kept);

    for (u32 n = 0; n < SCAN_BYTES; n++, tail.at--) {
        if (tail.end - tail.at == kept) { // what was before is lost, perhaps with a line's begin
            tail.phase = kept == CONSOLE_KEPT ? TAIL_SKIP : TAIL_SHOW;
            return;
        }
        tail.lines += tail_byte(tail.at - 1) == '\n';
        if (tail.lines > TAIL_MOST || (tail.lines > TAIL_LINES && tail.end - tail.at >= unseen)) {
            tail.phase = TAIL_SHOW;
            return;
        }
    }
}

static void tail_skip(void)
{
    for (u32 n = 0; n < SCAN_BYTES && tail.phase == TAIL_SKIP; n++)
        if (tail.at == tail.end || tail_byte(tail.at++) == '\n')
            tail.phase = TAIL_SHOW;
}

// Its text, and the terminal stands where the VM believes that it stands.
static void tail_show(struct out *o)
{
    char   text[4 * SHOW_BYTES];
    size_t len = 0;

    for (u32 n = 0; n < SHOW_BYTES && tail.at != tail.end; n++) {
        size_t more = vt_filter(&tail.filter, (u8)tail_byte(tail.at++), text + len);

        if (more)
            view.terminal.in_line = text[len] != '\n';
        len += more;
    }
    o->write(o, text, len);
}

static bool tail_part(struct out *o, unsigned n)
{
    if (!n)
        out_printf(o, "--- %s ---\n", view.vm->name);
    switch (tail.phase) {
    case TAIL_SCAN: tail_scan(); break;
    case TAIL_SKIP: tail_skip(); break;
    case TAIL_SHOW: tail_show(o); break;
    }
    return tail.phase != TAIL_SHOW || tail.at != tail.end;
}

static void tail_done(void)
{
    view_wake();
}

// Who is to be told, from one part to the next; it goes round, so that the last in the list finds
// room as often as the first.
static struct {
    unsigned at, left;
} waking;

void view_wake(void)
{
    waking.left = n_vms;
    tick_soon();
}

bool view_wakes(void)
{
    return waking.left;
}

void view_wake_part(void)
{
    for (unsigned n = 0; n < WAKE_PART && waking.left; n++, waking.left--) {
        struct vm *vm = vms[waking.at++ % n_vms];

        lock_take(&vm->lock);
        if (vm->state == VM_RUNNING)
            vm->console_ready(vm);
        lock_drop(&vm->lock);
    }
}

// What is shown until now is seen.
static void leave(void)
{
    if (!view.monitor && view.all)
        for (unsigned i = 0; i < n_vms; i++)
            vms[i]->console->kept_seen = vms[i]->console->kept_in;
    if (!view.monitor && view.vm)
        view.vm->console->kept_seen = view.vm->console->kept_in;
    if (view.monitor)
        sender_put("\r\x1b[K", 4);
    else
        vt_restore(&view.terminal, &sender_raw);
    view.monitor = view.stale = false;
}

static void enter_vm(struct vm *vm)
{
    struct console *c = vm->console;

    view.all = false;
    view.vm  = vm;
    tail     = (typeof(tail)){ .c = c, .at = c->kept_in, .end = c->kept_in };
}

static void enter_all(void)
{
    view.all = true;
    out_printf(&sender_text, "--- all; the keyboard is %s's ---\n",
               view.vm ? view.vm->name : "nobody");
    for (unsigned i = 0; i < n_vms; i++) {
        struct console *c = vms[i]->console;

        memset(&c->filter, 0, sizeof c->filter);
        c->line_len      = 0;
        c->line_returned = false;
    }
}

static void changed(void)
{
    static const struct job tail_job = { tail_part, tail_done };
    bool                    vm       = !view.monitor && !view.all && view.vm;

    console_hold_update();
    lock_drop(&view.lock);
    if (vm)
        job_begin(&tail_job);
    else
        view_wake();
}

void view_vm(struct vm *vm)
{
    lock_take(&view.lock);
    leave();
    enter_vm(vm);
    changed();
}

void view_all(void)
{
    lock_take(&view.lock);
    leave();
    enter_all();
    changed();
}

void view_monitor(void)
{
    lock_take(&view.lock);
    leave();
    view.monitor = true;
    changed();
}

void view_back(void)
{
    lock_take(&view.lock);
    leave();
    if (view.all || !view.vm)
        enter_all();
    else
        enter_vm(view.vm);
    changed();
}

void view_next(void)
{
    unsigned at = 0;

    for (unsigned i = 0; i < n_vms; i++)
        if (vms[i] == view.vm)
            at = i;
    for (unsigned i = 1; i <= n_vms; i++) {
        struct vm *vm = vms[(at + i) % n_vms];

        if (!vm->console->is_quiet) {
            view_vm(vm);
            return;
        }
    }
}

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
#include "mon/sender.h"

#include <string.h>

#define TAIL_LINES 20  // are shown again, even if they were seen
#define TAIL_MOST  100 // lines, even if more were not seen

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

// Where to begin: with what was not seen yet, or some lines before the end; but not within a line.
static u32 tail_begin(const struct console *c)
{
    u32 kept = (u32)min_u64(c->kept_in, CONSOLE_KEPT), at = c->kept_in, lines = 0;
    u32 unseen = (u32)min_u64(c->kept_in - c->kept_seen, kept);

    for (; c->kept_in - at < kept; at--) {
        lines += c->kept[(at - 1) % CONSOLE_KEPT] == '\n';
        if (lines > TAIL_MOST || (lines > TAIL_LINES && c->kept_in - at >= unseen))
            return at;
    }
    if (kept == CONSOLE_KEPT) // what was before is lost, perhaps with a line's begin
        while (at != c->kept_in && c->kept[at++ % CONSOLE_KEPT] != '\n')
            ;
    return at;
}

// The text of what it kept, and the terminal stands where the VM believes that it stands.
static void tail_show(struct console *c)
{
    struct vt_filter f = { 0 };
    char             text[4];

    for (u32 at = tail_begin(c); at != c->kept_in; at++) {
        size_t n = vt_filter(&f, (u8)c->kept[at % CONSOLE_KEPT], text);

        if (n == 1 && *text == '\n')
            sender_put("\r\n", 2);
        else
            sender_put(text, n);
        view.terminal.in_line = n ? *text != '\n' : view.terminal.in_line;
    }
}

void view_wake(void)
{
    for (unsigned i = 0; i < n_vms; i++) {
        struct vm *vm = vms[i];

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
    view.all = false;
    view.vm  = vm;
    out_printf(&sender_text, "--- %s ---\n", vm->name);
    tail_show(vm->console);
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
    console_hold_update();
    lock_drop(&view.lock);
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

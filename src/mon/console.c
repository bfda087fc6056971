// SPDX-License-Identifier: MIT
// The console multiplexer.
//
// In:     bytes from the serial line; bytes from VMs; lines of the log.
// Out:    the same, to whom they belong.
// Always: a VM's output waits in the VM when it is shown and the line is busy; otherwise it goes to
//         its scroll-back and waits for nobody.  The monitor's lines wait in the sender.  What is
//         typed waits on the line when there is no room for it, so that nothing is lost; only a VM
//         that reads nothing for DEAF_TICKS loses what is typed then, or the keys that lead away
//         from it would not come through.
// Locks:  view.lock, a leaf but for the serial line's; input and room come without any, on the boot
//         hart.
#include "mon/console.h"

#include "dev/clock.h"
#include "dev/serial.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "mon/job.h"
#include "mon/keys.h"
#include "mon/logbook.h"
#include "mon/sender.h"
#include "mon/tick.h"
#include "mon/view.h"

#include <string.h>

// What VMs have put into the line's ring is sent by interrupts, in whosever time they come.  So it
// is not much more than this; and it leaves room for lines of the monitor.
#define GUEST_WAITING  1024
#define ROOM_FOR_GUEST (SERIAL_ROOM - GUEST_WAITING)
#define DEAF_TICKS     10
#define LINE_TICKS     2 // an unfinished line is shown after that
#define HOLD_OVER      8192
#define DRAIN_ROUNDS   16
#define LINES_SIZE     512

static bool last_words;
static bool refused; // a VM waits for room

// The VM's side

static bool line_has_room(void)
{
    return !sender_waiting() && !sender_is_open() && serial_has_room(ROOM_FOR_GUEST);
}

static bool vm_room(struct vm *vm)
{
    lock_take(&view.lock);
    bool room = !view_shows(vm) || line_has_room();

    refused |= !room;
    lock_drop(&view.lock);
    return room;
}

static void kept_add(struct console *c, const char *text, size_t len)
{
    while (len) {
        u32    at = c->kept_in % CONSOLE_KEPT;
        size_t n  = min_u64(len, CONSOLE_KEPT - at);

        memcpy(c->kept + at, text, n);
        c->kept_in += (u32)n;
        text += n;
        len -= n;
    }
}

// Where all are shown: lines that are on their way to the sender.  What a VM writes at once may be
// many of them, each of one letter; so they are made without printf().
static struct {
    char   text[LINES_SIZE];
    size_t len;
} lines;

static void lines_send(void)
{
    sender_put(lines.text, lines.len);
    lines.len = 0;
}

static void lines_add(const char *text, size_t len)
{
    memcpy(lines.text + lines.len, text, len);
    lines.len += len;
}

static size_t name_width(void)
{
    static unsigned n_counted;
    static size_t   most;

    for (; n_counted < n_vms; n_counted++)
        most = max_u64(most, strlen(vms[n_counted]->name));
    return most;
}

// Whose the line is.
static void name_add(const struct vm *vm, const struct console *c)
{
    char   color[] = "\x1b[1;31m";
    size_t len     = strlen(vm->name);

    color[5] = (char)('1' + c->number % 6);
    lines_add(color, sizeof color - 1);
    lines_add(vm->name, len);
    memset(lines.text + lines.len, ' ', name_width() - len);
    lines.len += name_width() - len;
    lines_add("\x1b[0m| ", 6);
}

static void line_send(const struct vm *vm, struct console *c)
{
    if (lines.len > LINES_SIZE - VM_NAME_MAX - CONSOLE_LINE - 16)
        lines_send();
    if (c->line_len) {
        name_add(vm, c);
        lines_add(c->line, c->line_len);
        lines_add("\r\n", 2);
    }
    c->line_len      = 0;
    c->line_returned = false;
}

static void line_back(struct console *c)
{
    while (c->line_len && (c->line[--c->line_len] & 0xc0) == 0x80)
        ;
}

// The text of one character, or a control character that the filter lets through.
static void line_add(const struct vm *vm, struct console *c, const char *text, size_t n)
{
    if (c->line_returned) // what comes stands in the place of what was
        c->line_len = 0;
    c->line_returned = false;
    if (c->line_len + n > CONSOLE_LINE)
        line_send(vm, c);
    memcpy(c->line + c->line_len, text, n);
    c->line_len += (u32)n;
    c->line_ticks = 0;
}

static void line_take(const struct vm *vm, struct console *c, u8 byte)
{
    char   text[4];
    size_t n = vt_filter(&c->filter, byte, text);

    if (!n)
        return;
    switch (*text) {
    case '\n': line_send(vm, c); break;
    case '\r': c->line_returned = true; break;
    case '\b': line_back(c); break;
    case '\t': line_add(vm, c, " ", 1); break;
    default:   line_add(vm, c, text, n); break;
    }
}

static void vm_write(struct vm *vm, const char *text, size_t len)
{
    struct console *c = vm->console;

    lock_take(&view.lock);
    kept_add(c, text, len);
    if (view_shows(vm) && view.all)
        for (size_t i = 0; i < len; i++)
            line_take(vm, c, (u8)text[i]);
    else if (view_shows(vm)) {
        vt_follow_text(&view.terminal, text, len);
        sender_put(text, len);
    }
    lines_send();
    lock_drop(&view.lock);
}

static u32 typed_waiting(const struct console *c)
{
    return c->typed_in - c->typed_out;
}

static int vm_read(struct vm *vm)
{
    struct console *c    = vm->console;
    int             byte = -1;

    lock_take(&view.lock);
    if (typed_waiting(c)) {
        byte          = c->typed[c->typed_out++ % CONSOLE_TYPED];
        c->is_deaf    = false;
        c->deaf_ticks = 0;
        if (typed_waiting(c) == CONSOLE_TYPED / 2)
            console_hold_update();
    }
    lock_drop(&view.lock);
    return byte;
}

// The line's side

void console_hold_update(void)
{
    static bool     held;
    struct console *c    = view.monitor || !view.vm ? NULL : view.vm->console;
    bool            hold = sender_waiting() > HOLD_OVER || job_is_on();

    if (c && !c->is_deaf) // once full, until half of it was read
        hold |= typed_waiting(c) == CONSOLE_TYPED || (held && typed_waiting(c) > CONSOLE_TYPED / 2);
    if (hold != held)
        serial_hold(hold);
    held = hold;
}

void console_type(u8 byte)
{
    struct vm *vm = view.vm;

    if (!vm)
        return;
    lock_take(&view.lock);
    if (typed_waiting(vm->console) < CONSOLE_TYPED)
        vm->console->typed[vm->console->typed_in++ % CONSOLE_TYPED] = byte;
    else
        sender_put("\a", 1);
    lock_drop(&view.lock);
    lock_take(&vm->lock);
    if (vm->state == VM_RUNNING)
        vm->console_ready(vm);
    lock_drop(&vm->lock);
}

static void on_input(void *arg, u8 byte)
{
    (void)arg;
    keys_take(byte);
    lock_take(&view.lock);
    console_hold_update();
    lock_drop(&view.lock);
}

bool console_send(void)
{
    lock_take(&view.lock);
    bool more = sender_pump();

    console_hold_update();
    bool room = refused && line_has_room();

    refused &= !room;
    lock_drop(&view.lock);
    if (room)
        view_wake();
    return more;
}

static void on_room(void *arg)
{
    (void)arg;
    if (console_send() || job_is_on())
        tick_soon();
}

static void log_write(struct out *o, const char *text, size_t len)
{
    (void)o;
    if (last_words) {
        for (; len; text++, len--)
            serial_write(*text == '\n' ? "\r\n" : text, *text == '\n' ? 2 : 1);
        return;
    }
    lock_take(&view.lock);
    logbook_add(clock_now(), text, len);
    view_say(text, len);
    lock_drop(&view.lock);
}

// Time

static void deaf_tick(struct console *c)
{
    if (typed_waiting(c) < CONSOLE_TYPED)
        c->deaf_ticks = 0;
    else if (!c->is_deaf && ++c->deaf_ticks >= DEAF_TICKS)
        c->is_deaf = true;
}

void console_tick(void)
{
    lock_take(&view.lock);
    for (unsigned i = 0; i < n_vms; i++) {
        struct console *c = vms[i]->console;

        if (view.all && view_shows(vms[i]) && line_has_room() && c->line_len &&
            ++c->line_ticks > LINE_TICKS)
            line_send(vms[i], c);
        deaf_tick(c);
    }
    lines_send();
    console_hold_update();
    lock_drop(&view.lock);
}

// The boot and the end

void console_init(void)
{
    static struct out log = { log_write };

    serial_attach(on_input, on_room, NULL);
    log_to(&log);
}

void console_attach(struct vm *vm)
{
    ASSERT(vm->console);
    vm->console->number = n_vms;
    vm->console_room    = vm_room;
    vm->console_write   = vm_write;
    vm->console_read    = vm_read;
    if (!view.vm)
        view.vm = vm;
}

void console_keyboard(struct vm *vm)
{
    view.vm = vm;
}

void console_quiet(struct vm *vm)
{
    vm->console->is_quiet = true;
}

void console_show_all(void)
{
    view.all = true;
}

void console_hint(void)
{
    if (n_vms > 1 && view.vm)
        log_line("the keyboard is %s's%s; Ctrl-] ? lists the keys that lead to the others and to "
                 "the monitor",
                 view.vm->name, view.all ? ", and all are shown" : ", and it alone is shown");
}

void console_drain(void)
{
    u32 left = 1;

    for (int round = 0; left && round < DRAIN_ROUNDS; round++) {
        lock_take(&view.lock);
        while (sender_pump())
            ;
        left = sender_waiting();
        lock_drop(&view.lock);
        serial_drain();
    }
}

void console_last_words(void)
{
    last_words = true;
    serial_seize();
    sender_forget();
    serial_write("\x18\x1b\\\x1b[0m\r\n", 9);
}

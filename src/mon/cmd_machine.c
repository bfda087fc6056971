// SPDX-License-Identifier: MIT
// Commands about the machine: devs, log, memory, harts, off, version, help.
//
// In:     nothing, or a VM.
// Out:    what there is.
// Always: only looked at.
// Locks:  the VM's, for its devices; the view's, for the log.
#include "arch/hart.h"
#include "dev/clock.h"
#include "dev/machine.h"
#include "mon/bundle.h"
#include "mon/commands.h"
#include "mon/logbook.h"
#include "mon/version.h"
#include "mon/view.h"
#include "vm/sched.h"

#include <stdio.h>
#include <string.h>

// What a device says of itself, caught.
struct caught {
    struct out o;
    size_t     len;
    char       text[200];
};

static void caught_write(struct out *o, const char *text, size_t len)
{
    struct caught *c = CONTAINER_OF(o, struct caught, o);
    size_t         n = min_u64(len, sizeof c->text - 1 - c->len);

    memcpy(c->text + c->len, text, n);
    c->len += n;
}

static void dev_row(struct report *r, unsigned n, const void *of)
{
    const struct vm   *vm   = of;
    const struct vdev *d    = vm->bus.devices[n];
    struct caught      said = { .o = { caught_write } };

    d->ops->show(d, &said.o);
    report_hex(r, "address", 10, d->ops->base);
    report_number(r, "irq", 3, d->ops->irq);
    report_text(r, "device", -14, d->ops->name);
    report_text(r, "state", 0, said.text);
}

static enum told cmd_devs(struct call *c)
{
    struct vm *vm = c->args[0].vm;
    bool       more;

    lock_take(&vm->lock);
    more = report_table(&c->r, c->part, "devices", vm->bus.n, dev_row, vm);
    lock_drop(&vm->lock);
    return told_part_if(more);
}

// False: it is not kept any more.
static bool log_copy(u64 number, struct logbook_line *to)
{
    const struct logbook_line *l;

    lock_take(&view.lock);
    l = logbook_line((unsigned)number);
    if (l)
        *to = *l;
    lock_drop(&view.lock);
    return l;
}

static enum told cmd_log(struct call *c)
{
    struct logbook_line l;
    u64                 ms_ticks = machine.timebase_hz / 1000;

    if (!c->part) {
        c->at  = logbook_first();
        c->end = logbook_end();
    }
    if (c->at < c->end && log_copy(c->at++, &l))
        out_printf(c->r.o, "%6lu.%03lu %s\n", (unsigned long)(l.at_ticks / ms_ticks / 1000),
                   (unsigned long)(l.at_ticks / ms_ticks % 1000), l.text);
    return told_part_if(c->at < c->end);
}

static bool covers(const struct range *r, const void *what)
{
    return what && (u64)what - r->base < r->size;
}

// Whose a range is: that of what lies in it.
static void owner_of(const struct range *r, char *text, size_t size)
{
    const char *plain = covers(r, &view)            ? "the monitor"
                        : covers(r, bundle_place()) ? "the bundle"
                        : covers(r, machine.fdt)    ? "the device tree"
                                                    : "reserved";

    snprintf(text, size, "%s", plain);
    for (unsigned i = 0; i < n_vms; i++) {
        const char *part = covers(r, vms[i])                      ? "control"
                           : r->base == vms[i]->table_window.base ? "shadow tables"
                           : r->base == vms[i]->ram_window.base   ? "RAM"
                                                                  : NULL;

        if (part)
            snprintf(text, size, "%s: %s", vms[i]->name, part);
    }
}

static void memory_row(struct report *r, unsigned n, const void *of)
{
    struct range range = { 0 };
    char         owner[VM_NAME_MAX + 20];

    (void)of;
    (void)ram_taken(n, &range);
    owner_of(&range, owner, sizeof owner);
    report_hex(r, "from", 10, range.base);
    report_hex(r, "to", 10, range.base + range.size - 1);
    report_size(r, "size", 10, range.size);
    report_text(r, "owner", 0, owner);
}

static void sum_tell(struct report *r)
{
    report_group(r, "sum", NULL);
    if (r->form == REPORT_JSON) {
        json_number(&r->j, "bytes", ram_total_bytes());
        json_number(&r->j, "free", ram_free_bytes());
    } else
        out_printf(r->o, "%lu MiB in all, %lu MiB free\n", (unsigned long)(ram_total_bytes() / MIB),
                   (unsigned long)(ram_free_bytes() / MIB));
    report_end(r);
}

// VMs may come and go meanwhile, so the ranges are counted anew each time.
static enum told cmd_memory(struct call *c)
{
    struct range range;
    unsigned     n = 0;

    while (ram_taken(n, &range))
        n++;
    if (report_table(&c->r, c->part, "ranges", n, memory_row, NULL))
        return TOLD_PART;
    sum_tell(&c->r);
    return TOLD_ALL;
}

static void hart_row(struct report *r, unsigned n, const void *of)
{
    struct hart_share  h    = { 0 };
    bool               here = sched_hart(n, &h);
    const struct vcpu *v    = h.running;
    u64                up   = here ? clock_now() - h.began : 0;
    char               runs[VM_NAME_MAX + 8];

    (void)of;
    snprintf(runs, sizeof runs, v ? "%s.%u" : "-", v ? v->vm->name : "", v ? (unsigned)v->id : 0);
    report_number(r, "hart", 4, h.id);
    report_text(r, "runs", -20, runs);
    report_number(r, "busy%", 5, up ? 100 * h.busy / up : 0);
    report_number(r, "turns", 10, h.turns);
    report_number(r, "ipis", 10, h.ipis);
    report_number(r, "longest", 10, longest_stay(n));
    report_text(r, "isa", 0, machine.host_isa ? machine.host_isa : "");
}

static enum told cmd_harts(struct call *c)
{
    struct hart_share h;
    unsigned          n = 0;

    while (sched_hart(n, &h))
        n++;
    return told_part_if(report_table(&c->r, c->part, "harts", n, hart_row, NULL));
}

static enum told cmd_off(struct call *c)
{
    (void)c;
    command_want_off();
    return TOLD_ALL;
}

static enum told cmd_version(struct call *c)
{
    out_printf(c->r.o, "Duomo %s\n", VERSION);
    return TOLD_ALL;
}

static void help_row(struct report *r, unsigned n, const void *of)
{
    const struct command *c = of ? of : command_at(n);

    report_text(r, "usage", -36, command_usage(c));
    report_text(r, "what", 0, c->help);
}

static enum told cmd_help(struct call *c)
{
    unsigned n = 0;

    while (command_at(n))
        n++;
    if (c->args[0].command)
        n = 1;
    return told_part_if(report_table(&c->r, c->part, "commands", n, help_row, c->args[0].command));
}

// clang-format off
static const struct command rows[] = {
    { "devs",    { { "vm", ARG_VM, false } },          "its devices and their state",                     cmd_devs,    true  },
    { "log",     { { 0 } },                            "the last lines of the log, with the time of each", cmd_log,     false },
    { "memory",  { { 0 } },                            "who has which part of the RAM",                   cmd_memory,  true  },
    { "harts",   { { 0 } },                            "the harts and whom they run",                     cmd_harts,   true  },
    { "off",     { { 0 } },                            "powers the machine off",                          cmd_off,     false },
    { "version", { { 0 } },                            "which Duomo this is",                             cmd_version, false },
    { "help",    { { "command", ARG_COMMAND, true } }, "the commands",                                    cmd_help,    true  },
};
// clang-format on
const struct command_group machine_commands = { COMMAND_ROWS(rows) };

// SPDX-License-Identifier: MIT
// The commands `trace` and `steps`: what a VM traps for, and what is done about it.
//
// In:     a VM; kinds of records.
// Out:    records; the five steps of a system call.
// Always: a VM that is traced runs slower, and no other one does.  Commands wait for nothing: what
//         is followed is told when it is there (mon/steps.c).
// Locks:  vm_hold().
#include "mon/commands.h"
#include "mon/record_text.h"
#include "mon/steps.h"

#include <string.h>

#define SHOW_DEFAULT 20

static enum told trace_switch(struct call *c, struct vm *vm, u32 kinds)
{
    if (!vm)
        return call_fail(c, "it lacks a VM; usage: %s", command_usage(c->command));
    vm_hold(vm);
    for (u32 i = 0; i < vm->n_vcpus; i++)
        trace_set(vm->vcpus[i], kinds);
    vm_release(vm);
    return TOLD_ALL;
}

static void kinds_tell(struct report *r, const struct vcpu *v)
{
    if (r->form != REPORT_JSON) {
        out_printf(r->o, "%s, vCPU %u: %lu records since the start; tracing is %s\n", v->vm->name,
                   (unsigned)v->id, (unsigned long)v->trace.n, v->trace.kinds ? "on" : "off");
        return;
    }
    json_number(&r->j, "vcpu", v->id);
    json_number(&r->j, "recorded", v->trace.n);
    json_array(&r->j, "kinds");
    for (unsigned i = 0; i < TRACE_KINDS; i++)
        if (v->trace.kinds & BIT(i))
            json_text(&r->j, NULL, trace_rows[i].name);
    json_end(&r->j);
}

static void records_begin(struct call *c, const struct vcpu *v, u64 most)
{
    u64 kept = min_u64(v->trace.n, TRACE_RING);

    report_group(&c->r, NULL, NULL);
    kinds_tell(&c->r, v);
    report_array(&c->r, "records");
    c->end = v->trace.n; // what is recorded later is not shown
    c->at  = c->end - min_u64(kept, most);
}

// The next one; those that were overwritten meanwhile are left out.
static void record_tell(struct call *c, const struct vcpu *v)
{
    u64 oldest = v->trace.n - min_u64(v->trace.n, TRACE_RING);

    c->at = max_u64(c->at, oldest);
    if (c->at >= c->end)
        return;

    const struct record *at = trace_record(v, c->at++ - oldest);

    if (c->r.form != REPORT_JSON) {
        record_line(c->r.o, v->vm, at);
        return;
    }
    json_object(&c->r.j, NULL);
    record_json(&c->r.j, v->vm, at);
    json_end(&c->r.j);
}

// A part is the head of a vCPU or one of its records.
static enum told trace_show(struct call *c, struct vm *vm, u64 most)
{
    const struct vcpu *v = vm->vcpus[c->vcpu];

    if (!c->part)
        report_array(&c->r, "vcpus");
    vm_hold(vm);
    if (!c->in_group)
        records_begin(c, v, most);
    else
        record_tell(c, v);
    vm_release(vm);
    c->in_group = c->at < c->end;
    if (c->in_group)
        return TOLD_PART;
    report_array_end(&c->r);
    report_end(&c->r);
    if (++c->vcpu < vm->n_vcpus)
        return TOLD_PART;
    report_array_end(&c->r);
    return TOLD_ALL;
}

static enum told cmd_trace(struct call *c)
{
    const struct value *what = &c->args[0], *whose = &c->args[1], *kinds = &c->args[2];

    if (what->vm)
        return trace_show(c, what->vm, whose->given ? whose->number : SHOW_DEFAULT);
    if (!strcmp(what->word, "off"))
        return trace_switch(c, whose->vm, 0);
    return trace_switch(c, whose->vm, kinds->given ? kinds->kinds : (u32)TRACE_ALL);
}

static enum told cmd_steps(struct call *c)
{
    struct vm *vm   = c->args[0].vm;
    bool       more = false;

    vm_hold(vm);
    if (c->args[1].given && !strcmp(c->args[1].word, "show"))
        more = steps_tell(&c->r, vm, c->part);
    else
        steps_begin(&c->r, vm, (enum follow_what)c->args[1].number);
    vm_release(vm);
    return told_part_if(more);
}

// clang-format off
static const struct command rows[] = {
    { "trace", { { "on|off|vm", ARG_TRACE, false }, { "vm|count", ARG_TRACED, true }, { "kinds", ARG_TRACE_KINDS, true } },
      "on vm [kinds], off vm: records its traps; vm [count]: shows them", cmd_trace, true },
    { "steps", { { "vm", ARG_VM, false }, { "show|disk|violation", ARG_STEPS, true } },
      "follows its next system call that reaches a device, or its disk; show tells the steps", cmd_steps, true },
};
// clang-format on
const struct command_group trace_commands = { COMMAND_ROWS(rows) };

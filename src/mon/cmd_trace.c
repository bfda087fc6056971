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

static bool trace_switch(struct call *c, struct vm *vm, u32 kinds)
{
    if (!vm)
        return call_fail(c, "it lacks a VM; usage: %s", command_usage(c->command));
    vm_hold(vm);
    for (u32 i = 0; i < vm->n_vcpus; i++)
        trace_set(vm->vcpus[i], kinds);
    vm_release(vm);
    return true;
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

static void records_tell(struct report *r, const struct vcpu *v, u64 most)
{
    u64                  kept = min_u64(v->trace.n, TRACE_RING);
    const struct record *at;

    report_array(r, "records");
    for (u64 n = kept - min_u64(kept, most); (at = trace_record(v, n)); n++) {
        if (r->form != REPORT_JSON) {
            record_line(r->o, v->vm, at);
            continue;
        }
        json_object(&r->j, NULL);
        record_json(&r->j, v->vm, at);
        json_end(&r->j);
    }
    report_array_end(r);
}

static bool trace_show(struct call *c, struct vm *vm, u64 most)
{
    vm_hold(vm);
    report_array(&c->r, "vcpus");
    for (u32 i = 0; i < vm->n_vcpus; i++) {
        report_group(&c->r, NULL, NULL);
        kinds_tell(&c->r, vm->vcpus[i]);
        records_tell(&c->r, vm->vcpus[i], most);
        report_end(&c->r);
    }
    report_array_end(&c->r);
    vm_release(vm);
    return true;
}

static bool cmd_trace(struct call *c)
{
    const struct value *what = &c->args[0], *whose = &c->args[1], *kinds = &c->args[2];

    if (what->vm)
        return trace_show(c, what->vm, whose->given ? whose->number : SHOW_DEFAULT);
    if (!strcmp(what->word, "off"))
        return trace_switch(c, whose->vm, 0);
    return trace_switch(c, whose->vm, kinds->given ? kinds->kinds : (u32)TRACE_ALL);
}

static bool cmd_steps(struct call *c)
{
    struct vm *vm = c->args[0].vm;

    vm_hold(vm);
    if (c->args[1].given && !strcmp(c->args[1].word, "show"))
        steps_tell(&c->r, vm);
    else
        steps_begin(&c->r, vm, c->args[1].given);
    vm_release(vm);
    return true;
}

// clang-format off
static const struct command rows[] = {
    { "trace", { { "on|off|vm", ARG_TRACE, false }, { "vm|count", ARG_TRACED, true }, { "kinds", ARG_TRACE_KINDS, true } },
      "on vm [kinds], off vm: records its traps; vm [count]: shows them", cmd_trace, true },
    { "steps", { { "vm", ARG_VM, false }, { "show|violation", ARG_STEPS, true } },
      "follows its next system call that reaches a device; show tells the steps", cmd_steps, true },
};
// clang-format on
const struct command_group trace_commands = { COMMAND_ROWS(rows) };

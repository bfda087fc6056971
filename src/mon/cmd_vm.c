// SPDX-License-Identifier: MIT
// Commands about the life of VMs: list, start, stop, pause, resume, reset, kill, console.
//
// In:     a VM.
// Out:    a change of its state; the list of all.
// Always: none asks the guest: they work whatever it does.
// Locks:  boot hart only; the life-cycle functions take the VM's.
#include "dev/clock.h"
#include "dev/machine.h"
#include "mon/commands.h"
#include "mon/prompt.h"
#include "mon/record_text.h"
#include "mon/sample.h"
#include "mon/view.h"
#include "vm/engine.h"

#include <stdio.h>

static bool is_waiting(const struct vm *vm)
{
    for (u32 i = 0; i < vm->n_vcpus; i++)
        if (vm->vcpus[i]->hsm == HSM_STARTED && !vm->vcpus[i]->waiting)
            return false;
    return true;
}

static const char *state_name(const struct vm *vm)
{
    switch (vm_state(vm)) {
    case VM_OFF:     return vm->is_kept ? "stopped" : "off";
    case VM_RUNNING: return is_waiting(vm) ? "waiting" : "running";
    case VM_PAUSED:  return "paused";
    case VM_STOPPED: return vm->end == VM_END_RESET ? "starting" : "ending";
    }
    return "?";
}

// One that is being loaded, or ends, is not up.
static void uptime(struct report *r, const struct vm *vm)
{
    u64  seconds = (clock_now() - vm->started_ticks) / machine.timebase_hz;
    bool is_up   = vm_state(vm) == VM_RUNNING || vm_state(vm) == VM_PAUSED;
    char text[24];

    if (!is_up)
        seconds = 0;
    if (r->form == REPORT_JSON) {
        report_number(r, "uptime_s", 0, seconds);
        return;
    }
    snprintf(text, sizeof text, "%lu:%02lu:%02lu", (unsigned long)(seconds / 3600),
             (unsigned long)(seconds / 60 % 60), (unsigned long)(seconds % 60));
    report_text(r, "uptime", 0, is_up ? text : "-");
}

static void list_row(struct report *r, unsigned n, const void *of)
{
    const struct vm *vm = vms[n];

    (void)of;
    report_number(r, "vm", 2, n + 1);
    report_text(r, "name", -16, vm->name);
    report_text(r, "state", -8, state_name(vm));
    report_text(r, "mode", -4, mode_name(vm->vcpus[0]->mode));
    report_text(r, "engine", -8, vm->vcpus[0]->engine->name);
    report_number(r, "vcpus", 5, vm->n_vcpus);
    report_tenths(r, r->form == REPORT_JSON ? "cpu_percent" : "CPU %", 6, sample_cpu_permille(vm));
    report_size(r, "memory", 9, vm->ram_size);
    report_number(r, r->form == REPORT_JSON ? "exits_per_s" : "exits/s", 9, sample_exits_per_s(vm));
    report_number(r, "starts", 6, vm->starts);
    uptime(r, vm);
}

static enum told cmd_list(struct call *c)
{
    return told_part_if(report_table(&c->r, c->part, "vms", n_vms, list_row, NULL));
}

static enum told cmd_top(struct call *c)
{
    if (c->form != COMMAND_PROMPT)
        return call_fail(c, "it needs a terminal; ask for `list` now and then");
    prompt_top();
    return TOLD_ALL;
}

static enum told cmd_start(struct call *c)
{
    struct vm *vm = c->args[0].vm;

    if (vm_state(vm) != VM_OFF)
        return call_fail(c, "%s is not off; `reset` starts it anew", vm->name);
    vm_start(vm);
    return TOLD_ALL;
}

static enum told cmd_stop(struct call *c)
{
    struct vm *vm = c->args[0].vm;

    if (vm_state(vm) == VM_OFF)
        return call_fail(c, "%s is off", vm->name);
    vm_put_off(vm, true, "stopped by the operator");
    return TOLD_ALL;
}

static enum told cmd_kill(struct call *c)
{
    struct vm *vm = c->args[0].vm;

    if (vm_state(vm) == VM_OFF && !vm->is_kept)
        return call_fail(c, "%s is off", vm->name);
    vm_put_off(vm, false, "killed by the operator");
    return TOLD_ALL;
}

static enum told cmd_pause(struct call *c)
{
    struct vm *vm = c->args[0].vm;

    if (vm_state(vm) != VM_RUNNING)
        return call_fail(c, "%s is not running", vm->name);
    vm_pause(vm);
    return TOLD_ALL;
}

static enum told cmd_resume(struct call *c)
{
    struct vm *vm = c->args[0].vm;

    if (vm_state(vm) != VM_PAUSED)
        return call_fail(c, "%s is not paused", vm->name);
    vm_resume(vm);
    return TOLD_ALL;
}

static enum told cmd_reset(struct call *c)
{
    struct vm *vm = c->args[0].vm;

    if (vm_state(vm) == VM_OFF)
        vm_start(vm);
    else
        vm_end(vm, VM_END_RESET, "reset by the operator");
    return TOLD_ALL;
}

static void show_all(struct vm *vm)
{
    (void)vm;
    view_all();
}

static void show_back(struct vm *vm)
{
    (void)vm;
    view_back();
}

static enum told cmd_console(struct call *c)
{
    struct vm *vm = c->args[0].vm;

    command_want_view(vm ? view_vm : c->args[0].all ? show_all : show_back, vm);
    return TOLD_ALL;
}

#define VM_ARG                                                                                     \
    {                                                                                              \
        {                                                                                          \
            "vm", ARG_VM, false                                                                    \
        }                                                                                          \
    }

// clang-format off
static const struct command rows[] = {
    { "list",    { { 0 } },                     "the VMs and what they do",                              cmd_list,    true  },
    { "top",     { { 0 } },                     "the same, each second anew, until a key is pressed",    cmd_top,     false },
    { "start",   VM_ARG,                        "starts a VM that is off",                               cmd_start,   false },
    { "stop",    VM_ARG,                        "stops it; it can be looked at, and started again",      cmd_stop,    false },
    { "kill",    VM_ARG,                        "ends it, as if its power was cut",                      cmd_kill,    false },
    { "pause",   VM_ARG,                        "it stands still until it is resumed",                   cmd_pause,   false },
    { "resume",  VM_ARG,                        "a paused VM goes on",                                   cmd_resume,  false },
    { "reset",   VM_ARG,                        "boots it anew",                                         cmd_reset,   false },
    { "console", { { "vm|all", ARG_VIEW, true } }, "shows a VM, or all; without a name, what was shown", cmd_console, false },
};
// clang-format on
const struct command_group vm_commands = { COMMAND_ROWS(rows) };

// SPDX-License-Identifier: MIT
// The five steps: a system call, from the process's ecall to the sret that brings it back.
//
// In:     records that the follower of a vCPU has kept.
// Out:    the five steps in order, each with the values that were there.
// Always: 1 the process traps; 2 the kernel traps; 3 the virtual mode is checked, and what it wants
//         is done; 4 it goes on; 2 to 4 repeat; 5 sret.  A process that does what only its kernel
//         may is told instead of step 1: the check of step 3 has failed.
// Locks:  vm_hold() around what is read.
#include "mon/steps.h"

#include "dev/clock.h"
#include "dev/machine.h"
#include "lib/log.h"
#include "mon/job.h"
#include "mon/prompt.h"
#include "mon/record_text.h"
#include "mon/view.h"

#include <stdio.h>

#define LATE_SECONDS 60

static bool asked[VM_MAX]; // somebody waits for the end

static unsigned number_of(const struct vm *vm)
{
    unsigned n = 0;

    while (n < n_vms - 1 && vms[n] != vm)
        n++;
    return n;
}

static const char *state_name(enum follow state)
{
    switch (state) {
    case FOLLOW_OFF:   return "off";
    case FOLLOW_ARMED: return "waiting";
    case FOLLOW_ON:    return "following";
    case FOLLOW_DONE:  return "complete";
    case FOLLOW_LATE:  return "given up";
    }
    return "?";
}

// The step that a record is, or begins: 1 and 5 are one record each, 2 to 4 are one together.
static unsigned step_of(const struct follower *f, unsigned n)
{
    if (!n)
        return 1;
    return n == f->n - 1 && f->state == FOLLOW_DONE ? 5 : 2;
}

static void tell_trap(struct out *o, unsigned step, const struct record *r)
{
    out_printf(o, "%u.  %s  %lx  %s\n", step, mode_name(r->mode), (unsigned long)r->pc,
               insn_name(r));
    out_printf(o, "        traps: cause %u, %s, tval %lx\n", r->cause, cause_name(r),
               (unsigned long)r->tval);
}

static void tell_first(struct out *o, const struct vm *vm, const struct record *r)
{
    bool is_call = r->kind == TRACE_ECALL;

    tell_trap(o, 1, r);
    if (is_call) {
        out_printf(o, "        the call: ");
        record_deed(o, vm, r);
        out_printf(o, "\n");
    } else {
        out_printf(o, "3.  the VM is in %s, and only its kernel may do that: ", mode_name(r->mode));
        record_deed(o, vm, r);
        out_printf(o, "\n");
    }
    out_printf(o,
               "        Duomo sets %s, sepc %lx, scause %lx, stval %lx, sstatus %lx; "
               "on at stvec, %lx\n",
               mode_name(r->to_mode), (unsigned long)r->pc,
               (unsigned long)(is_call ? 8 : r->value[0]),
               (unsigned long)(is_call ? 0 : r->value[1]), (unsigned long)r->value[is_call ? 4 : 2],
               (unsigned long)r->to);
}

static void tell_middle(struct out *o, const struct vm *vm, const struct record *r)
{
    tell_trap(o, 2, r);
    out_printf(o, "3.      the VM is in %s: ", mode_name(r->mode));
    record_deed(o, vm, r);
    out_printf(o, "\n4.  %s  %lx  goes on\n", mode_name(r->to_mode), (unsigned long)r->to);
}

static void tell_last(struct out *o, const struct record *r)
{
    tell_trap(o, 5, r);
    out_printf(o, "        the VM is in %s: Duomo sets %s, sstatus %lx; on at sepc, %lx\n",
               mode_name(r->mode), mode_name(r->to_mode), (unsigned long)r->value[0],
               (unsigned long)r->to);
}

static void tell_record(struct out *o, const struct vm *vm, const struct follower *f, unsigned n)
{
    if (f->omitted && n == f->n - 1)
        out_printf(o, "    (and %lu more like these)\n", (unsigned long)f->omitted);
    switch (step_of(f, n)) {
    case 1:  tell_first(o, vm, &f->records[n]); break;
    case 5:  tell_last(o, &f->records[n]); break;
    default: tell_middle(o, vm, &f->records[n]); break;
    }
}

static void tell_record_json(struct json *j, const struct vm *vm, const struct follower *f,
                             unsigned n)
{
    json_object(j, NULL);
    json_number(j, "step", step_of(f, n));
    record_json(j, vm, &f->records[n]);
    json_end(j);
}

static void tell_state(struct report *r, const struct vm *vm, const struct follower *f)
{
    if (r->form != REPORT_JSON) {
        out_printf(r->o, "%s: %s\n", vm->name, state_name(f->state));
        return;
    }
    json_text(&r->j, "vm", vm->name);
    json_text(&r->j, "state", state_name(f->state));
    json_number(&r->j, "omitted", f->omitted);
    json_array(&r->j, "records");
}

bool steps_tell(struct report *r, struct vm *vm, unsigned part)
{
    const struct follower *f = &vm->vcpus[0]->trace.follower;

    if (!part)
        tell_state(r, vm, f);
    else if (part <= f->n && r->form == REPORT_JSON)
        tell_record_json(&r->j, vm, f, part - 1);
    else if (part <= f->n)
        tell_record(r->o, vm, f, part - 1);
    if (part < f->n)
        return true;
    report_array_end(r);
    return false;
}

void steps_begin(struct report *r, struct vm *vm, enum follow_what what)
{
    static const char *const names[] = {
        [FOLLOW_CALL]      = "system call that reaches a device",
        [FOLLOW_DISK]      = "system call that reads or writes its disk",
        [FOLLOW_VIOLATION] = "violation",
    };

    trace_follow(vm->vcpus[0], what);
    asked[number_of(vm)] = true;
    if (r->form == REPORT_JSON)
        json_text(&r->j, "state", "waiting");
    else
        out_printf(r->o, "%s: its next %s is followed; it will be told here\n", vm->name,
                   names[what]);
}

static bool is_late(const struct follower *f)
{
    return (f->state == FOLLOW_ARMED || f->state == FOLLOW_ON) &&
           clock_now() - f->since_ticks >= LATE_SECONDS * machine.timebase_hz;
}

static void tell_end(unsigned n)
{
    char line[VM_NAME_MAX + 16];

    if (view.monitor) {
        snprintf(line, sizeof line, "steps %s show", vms[n]->name);
        prompt_run(line);
        return;
    }
    log_line("%s: the five steps of a system call: %s; `steps %s show` tells them", vms[n]->name,
             state_name(vms[n]->vcpus[0]->trace.follower.state), vms[n]->name);
}

void steps_tick(void)
{
    for (unsigned n = 0; n < n_vms; n++) {
        struct vcpu           *v = vms[n]->vcpus[0];
        const struct follower *f = &v->trace.follower;

        if (!asked[n] || job_is_on())
            continue;
        if (is_late(f)) {
            vm_hold(vms[n]);
            trace_follow_end(v, FOLLOW_LATE);
            vm_release(vms[n]);
        }
        if (f->state == FOLLOW_DONE || f->state == FOLLOW_LATE) {
            asked[n] = false;
            tell_end(n);
        }
    }
}

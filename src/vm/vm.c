// SPDX-License-Identifier: MIT
// The life of a virtual machine.
//
// In:     requests to stop, from its guest or from a person.
// Out:    pending bits for its vCPUs; a state that the monitor can show.
// Always: `why` is a constant of ours, never a guest's text.
// Locks:  none yet: a VM's vCPUs share a hart.
#include "vm/sched.h"

struct vm *vms[VM_MAX];
unsigned   n_vms;

void vm_stop(struct vm *vm, enum vm_end end, const char *why)
{
    if (vm->state != VM_RUNNING && vm->state != VM_PAUSED)
        return;
    vm->state = VM_STOPPED;
    vm->end   = end;
    vm->why   = why;
    for (u32 i = 0; i < vm->n_vcpus; i++)
        pend(vm->vcpus[i], PEND_STOP);
    sched_started(vm->vcpus[0]); // whoever runs: there is something to do for this one
}

enum outcome stop(struct vcpu *v, enum vm_end end, const char *why)
{
    vm_stop(v->vm, end, why);
    return STOP;
}

void vm_reset(struct vm *vm)
{
    for (u32 i = 0; i < vm->n_vcpus; i++)
        vcpu_reset(vm->vcpus[i]);
    bus_reset(&vm->bus);
}

// To the scheduler it is one that has ended and begins again.
void vm_start(struct vm *vm)
{
    if (vm->state != VM_OFF)
        return;
    vm->is_kept = false;
    vm->why     = NULL;
    vm->end     = VM_END_RESET;
    vm->state   = VM_STOPPED;
    sched_started(vm->vcpus[0]);
}

// One that was kept ends once more: it may have been the last.
void vm_put_off(struct vm *vm, bool keep, const char *why)
{
    if (vm->state == VM_OFF && vm->is_kept && !keep)
        vm->state = VM_STOPPED;
    vm->is_kept = keep;
    if (vm->state == VM_STOPPED) { // it has ended by itself, or is being loaded
        vm->end = VM_END_OFF;
        vm->why = why;
        sched_started(vm->vcpus[0]);
    }
    vm_stop(vm, VM_END_OFF, why);
}

void vm_pause(struct vm *vm)
{
    if (vm->state != VM_RUNNING)
        return;
    vm->state = VM_PAUSED;
    for (u32 i = 0; i < vm->n_vcpus; i++)
        pend(vm->vcpus[i], PEND_RESCHED);
}

void vm_resume(struct vm *vm)
{
    if (vm->state != VM_PAUSED)
        return;
    vm->state = VM_RUNNING;
    for (u32 i = 0; i < vm->n_vcpus; i++) {
        sched_credit(vm->vcpus[i]);
        sched_started(vm->vcpus[i]);
    }
}

void vm_hold(struct vm *vm)
{
    (void)vm; // one hart runs all, and it is here
}

void vm_release(struct vm *vm)
{
    (void)vm;
}

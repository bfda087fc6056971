// SPDX-License-Identifier: MIT
// The life of a virtual machine.
//
// In:     requests to stop, from its guest or from a person.
// Out:    pending bits for its vCPUs; a state that the monitor can show.
// Always: `why` is a constant of ours, never a guest's text.  Who changes `state` holds vm->lock,
//         and tells the scheduler, which has vCPUs of a VM that does not run leave their harts.
// Locks:  vm->lock, then the scheduler's.
#include "vm/sched.h"

struct vm *vms[VM_MAX];
unsigned   n_vms;

static void vcpus_tell(struct vm *vm, u32 bits)
{
    for (u32 i = 0; i < vm->n_vcpus; i++) {
        pend(vm->vcpus[i], bits);
        sched_wake(vm->vcpus[i]);
    }
}

void vm_stop(struct vm *vm, enum vm_end end, const char *why)
{
    if (vm->state != VM_RUNNING && vm->state != VM_PAUSED)
        return;
    vm->state        = VM_STOPPED;
    vm->end          = end;
    vm->why          = why;
    vm->is_crash     = false;
    vm->crashed_vcpu = 0;
    vcpus_tell(vm, PEND_STOP);
}

void vm_crash(struct vcpu *v, const char *why)
{
    if (v->vm->state != VM_RUNNING && v->vm->state != VM_PAUSED)
        return;
    vm_stop(v->vm, VM_END_FAIL, why);
    v->vm->is_crash     = true;
    v->vm->crashed_vcpu = v->id;
}

enum outcome stop(struct vcpu *v, const char *why)
{
    vm_crash(v, why);
    return STOP;
}

void vm_reset(struct vm *vm)
{
    for (u32 i = 0; i < vm->n_vcpus; i++)
        vcpu_reset(vm->vcpus[i]);
    bus_reset(&vm->bus);
}

void vm_end(struct vm *vm, enum vm_end end, const char *why)
{
    lock_take(&vm->lock);
    vm_stop(vm, end, why);
    lock_drop(&vm->lock);
}

void vm_start(struct vm *vm)
{
    lock_take(&vm->lock);
    if (vm->state == VM_OFF) {
        vm->state   = VM_STOPPED;
        vm->end     = VM_END_RESET;
        vm->why     = NULL;
        vm->is_kept = false;
        sched_wake(vm->vcpus[0]); // at whose cost it starts
    }
    lock_drop(&vm->lock);
}

// One that was kept ends once more: it may have been the last.
void vm_put_off(struct vm *vm, bool keep, const char *why)
{
    lock_take(&vm->lock);
    if (vm->state == VM_OFF && vm->is_kept && !keep)
        vm->state = VM_STOPPED;
    vm->is_kept = keep;
    if (vm->state == VM_STOPPED) { // it has ended by itself, or is being loaded
        vm->end = VM_END_OFF;
        vm->why = why;
        sched_wake(vm->vcpus[0]);
    }
    vm_stop(vm, VM_END_OFF, why);
    lock_drop(&vm->lock);
}

void vm_pause(struct vm *vm)
{
    lock_take(&vm->lock);
    if (vm->state == VM_RUNNING) {
        vm->state = VM_PAUSED;
        vcpus_tell(vm, PEND_RESCHED);
    }
    lock_drop(&vm->lock);
}

void vm_resume(struct vm *vm)
{
    lock_take(&vm->lock);
    if (vm->state == VM_PAUSED) {
        vm->state = VM_RUNNING;
        vcpus_tell(vm, 0);
    }
    lock_drop(&vm->lock);
}

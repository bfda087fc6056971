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
    vm_state_set(vm, VM_STOPPED);
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

// One that has ended already, or is being loaded, is to end otherwise.
static void end_change(struct vm *vm, enum vm_end end, const char *why)
{
    if (vm->state != VM_STOPPED)
        return;
    vm->end = end;
    vm->why = why;
    sched_wake(vm->vcpus[0]);
}

static void kept_set(struct vm *vm, bool kept)
{
    __atomic_store_n(&vm->is_kept, kept, __ATOMIC_RELAXED);
}

void vm_end(struct vm *vm, enum vm_end end, const char *why)
{
    lock_take(&vm->lock);
    if (vm->state != VM_OFF)
        kept_set(vm, false);
    end_change(vm, end, why);
    vm_stop(vm, end, why);
    lock_drop(&vm->lock);
}

void vm_start(struct vm *vm)
{
    lock_take(&vm->lock);
    if (vm->state == VM_OFF) {
        vm_state_set(vm, VM_STOPPED);
        kept_set(vm, false);
        end_change(vm, VM_END_RESET, NULL); // at its first vCPU's cost it starts
    }
    lock_drop(&vm->lock);
}

// One that was kept ends once more: it may have been the last.
void vm_put_off(struct vm *vm, bool keep, const char *why)
{
    lock_take(&vm->lock);
    if (vm->state == VM_OFF && vm->is_kept && !keep)
        vm_state_set(vm, VM_STOPPED);
    if (vm->state != VM_OFF)
        kept_set(vm, keep);
    end_change(vm, VM_END_OFF, why);
    vm_stop(vm, VM_END_OFF, why);
    lock_drop(&vm->lock);
}

void vm_pause(struct vm *vm)
{
    lock_take(&vm->lock);
    if (vm->state == VM_RUNNING) {
        vm_state_set(vm, VM_PAUSED);
        vcpus_tell(vm, PEND_RESCHED);
    }
    lock_drop(&vm->lock);
}

// What its console would have told it meanwhile, it is told now.
void vm_resume(struct vm *vm)
{
    lock_take(&vm->lock);
    if (vm->state == VM_PAUSED) {
        vm_state_set(vm, VM_RUNNING);
        vm->console_ready(vm);
        vcpus_tell(vm, 0);
    }
    lock_drop(&vm->lock);
}

// SPDX-License-Identifier: MIT
// The life of a virtual machine.
//
// In:     requests to stop, from its guest or from a person.
// Out:    pending bits for its vCPUs; a state that the monitor can show.
// Always: `why` is a constant of ours, never a guest's text.
// Locks:  none yet: a VM's vCPUs share a hart.
#include "vm/vm.h"

struct vm *vms[VM_MAX];
unsigned   n_vms;

void vm_stop(struct vm *vm, enum vm_end end, const char *why)
{
    if (vm->state != VM_RUNNING)
        return;
    vm->state = VM_STOPPED;
    vm->end   = end;
    vm->why   = why;
    for (u32 i = 0; i < vm->n_vcpus; i++)
        pend(vm->vcpus[i], PEND_STOP);
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

// SPDX-License-Identifier: MIT
// From a configuration to a virtual machine.
#pragma once

#include "mon/bundle.h"
#include "mon/crash.h"
#include "vm/vm.h"

// Where things go in the VM's RAM, from its base; and where it starts.
struct layout {
    u64 kernel, ramdisk, dt, entry;
};

#define VCPUS_MAX 1

// A VM and what it was made from.
struct built {
    struct vm        vm; // must be first
    struct vm_config config;
    struct layout    layout;
    struct image     dt; // what it finds, made once: that takes longer than a start's step may
    u64              seed_offset; // in it
    struct vcpu     *vcpu_list[VCPUS_MAX];
    u64              filled;      // how far its start is, in bytes of RAM
    u64              rests_since; // ended, and a device is not done; 0: not so
    bool             rest_told;
    bool             telling; // a crash: the next line is
    unsigned         line;
    u64              crashes; // since somebody started it by hand
};

static inline struct built *built_of(struct vm *vm)
{
    return CONTAINER_OF(vm, struct built, vm);
}

// Makes the VM, with its vCPUs and devices, but without RAM, which it has from its start to its
// end; boot hart.  NULL, or a line that says what is wrong: then nothing of it runs.
MUST_CHECK const char *vm_build(const struct vm_config *c, struct vm **made);

// SPDX-License-Identifier: MIT
// The bundle: what the machine was started with.  A FIT image (U-Boot's flattened image tree) with
// one node per virtual machine under /vms.
#pragma once

#include "lib/types.h"

#define CMDLINE_MAX 2047

struct image {
    const void *data;
    u64         size;
};

// What a bundle says of one VM.  Pointers lead into the bundle, which stays in memory.
struct vm_config {
    const char  *name;
    u64          memory;
    u32          vcpus;
    struct image kernel, ramdisk; // ramdisk.data may be NULL
    const char  *bootargs;
    const char  *engine;
    u32          shadow_pages; // 0: by size of memory
};

// Is there a bundle at this address, whole and sound?  NULL, or a line that says what is wrong.
MUST_CHECK const char *bundle_open(u64 at);

// Does the machine start with all VMs' consoles shown (/vms, console-show = "all")?
bool bundle_shows_all(void);
// Where it lies.
const void *bundle_place(void);

// Configuration number `index`; false: there are no more.  *why is NULL, or says what is wrong with
// it.
bool bundle_vm(unsigned index, struct vm_config *c, const char **why);

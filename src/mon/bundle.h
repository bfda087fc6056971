// SPDX-License-Identifier: MIT
// The bundle: what the machine was started with.  A FIT image (U-Boot's flattened image tree) with
// one node per virtual machine under /vms.
#pragma once

#include "lib/types.h"

#define CMDLINE_MAX 2047

// Where an image goes and starts, if it is no Linux Image and so does not say it itself: FIT's
// properties of the same names, and how much it occupies with what is to be zero behind it.
struct image {
    const void *data;
    u64         size;
    bool        placed;
    u64         load, entry, mem_size;
};

// What becomes of a VM that has crashed.
enum on_crash { CRASH_STOP, CRASH_RESTART };

enum console_use { CONSOLE_NO, CONSOLE_YES, CONSOLE_KEYBOARD };

// What a bundle says of one VM.  Pointers lead into the bundle, which stays in memory.
struct vm_config {
    const char  *name;
    u64          memory;
    u32          vcpus;
    struct image kernel, ramdisk; // ramdisk.data may be NULL
    const char  *bootargs;
    const char  *engine;
    u32          shadow_pages; // 0: by size of memory
    u32          weight;       // 1 to 1000
    u32          cap;          // per cent of a hart; 0: none
    u32          watchdog;     // seconds; 0: none
    u64          harts;        // by number; ~0: all

    enum on_crash    on_crash;
    u32              restart_max; // ~0: no limit
    enum console_use console;
    bool             start; // when the machine does

    const char *disk_partition; // NULL: it has no disk
    bool        disk_readonly;
    u32         disk_requests; // per second; 0: no limit
    u64         disk_bytes;    // likewise
    bool        has_net;
    u8          net_mac[6];
    bool        net_isolated;
    u32         net_vlan; // 0: none
    u64         net_rate; // bytes per second; 0: no limit
    bool        has_vcons;
};

// Is there a bundle at this address, whole and sound?  NULL, or a line that says what is wrong.
MUST_CHECK const char *bundle_open(u64 at);

// Does the machine go on when all VMs are off?
bool bundle_stays(void);
// Does the machine start with all VMs' consoles shown (/vms, console-show = "all")?
bool bundle_shows_all(void);
// Where it lies.
const void *bundle_place(void);

// Configuration number `index`; false: there are no more.  *why is NULL, or says what is wrong with
// it.
bool bundle_vm(unsigned index, struct vm_config *c, const char **why);

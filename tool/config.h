// SPDX-License-Identifier: MIT
// Virtual machines and the machine under them, as their user describes them: in a file, or by
// options.

#pragma once

#include "field.h"

#include <stdbool.h>
#include <stdint.h>

enum { NAME_LENGTH_MAX = 31, BOOTARGS_LENGTH_MAX = 2047, VMS_MAX = 64, HARTS_MAX = 64 };

#define GUEST_RAM 0x80000000ull     // where a virtual machine's RAM begins

enum vm_field {
    VM_NAME, VM_MEMORY, VM_VCPUS, VM_KERNEL, VM_LOAD, VM_INITRD, VM_CMDLINE, VM_ENGINE, VM_WEIGHT,
    VM_CAP, VM_WATCHDOG, VM_HARTS, VM_CONSOLE, VM_ON_CRASH, VM_START, VM_SHADOW_PAGES, VM_DISK,
    VM_NETWORK, VM_VIRTIO_CONSOLE, VM_FIELDS
};

enum disk_field { DISK_PARTITION, DISK_READONLY, DISK_REQUESTS, DISK_BYTES, DISK_FIELDS };

enum network_field { NETWORK_MAC, NETWORK_ISOLATED, NETWORK_VLAN, NETWORK_RATE, NETWORK_FIELDS };

enum machine_field {
    MACHINE_HARTS, MACHINE_MEMORY, MACHINE_WHEN_ALL_OFF, MACHINE_DISK, MACHINE_NETWORK,
    MACHINE_FORWARD, MACHINE_FIELDS
};

// A partition's label, its number behind a '#', or its unique id.
enum { PARTITION_LENGTH_MAX = 36 };

struct vm_desc {
    const char *name;
    const char *kernel;         // a path, from the file's folder
    const char *initrd;         // likewise, or NULL
    const char *bootargs;
    const char *engine;
    const char *console;
    const char *on_crash;
    const char *start;
    uint64_t    memory;
    uint64_t    vcpus;
    uint64_t    load;           // of a raw kernel; 0: where they usually go
    uint64_t    weight;
    uint64_t    cap;            // 0: none
    uint64_t    watchdog;       // seconds; 0: none
    uint64_t    harts;          // a bit for each; 0: all
    uint64_t    restart_max;    // 0: no limit
    uint64_t    shadow_pages;   // 0: as the monitor likes
    const char *partition;      // of the board's disk; NULL: it has no disk
    const char *disk_readonly;
    uint64_t    disk_requests;  // per second; 0: no limit
    uint64_t    disk_bytes;     // likewise
    const char *network;        // yes or no
    uint64_t    mac;            // 48 bits; 0: made from its name
    const char *isolated;
    uint64_t    vlan;           // 0: none
    uint64_t    rate;           // bytes per second; 0: no limit
    const char *virtio_console;
    unsigned    lines[VM_FIELDS];
    unsigned    crash_lines[1];
    unsigned    disk_lines[DISK_FIELDS];
    unsigned    network_lines[NETWORK_FIELDS];
    unsigned    line;           // where it begins in the file; 0: it came from options
    bool        broken;         // a mistake in it has been told
};

struct machine_desc {
    uint64_t    harts;          // 0: as many as the virtual machines name
    uint64_t    memory;         // 0: what they need
    const char *when_all_off;
    const char *disk;           // a path, from the file's folder; NULL: none
    bool        disk_is_option; // it begins at the working folder instead
    const char *network;        // yes or no
    struct words forward;       // each PORT:ADDRESS:PORT
    unsigned    lines[MACHINE_FIELDS];
};

struct config {
    const char         *path;   // of the file, or NULL: it came from options
    int                 dir;    // where its paths begin
    struct machine_desc machine;
    struct vm_desc      vms[VMS_MAX];
    unsigned            n;
    unsigned            top_lines[2];
    bool                too_many;
    void               *document;       // the file's texts
};

extern const struct vm_desc      vm_desc_defaults;
extern const struct field        vm_fields[];
extern const struct field_table  config_table;

// Reads a file and checks all that can be checked without the files that it names. On false each
// mistake has been told; what could be understood is there. config_free() either way.
bool config_read(struct config *c, const char *path);

// The same of bytes; `path` is what messages call them.
bool config_parse(struct config *c, const void *data, size_t size, const char *path);

// A configuration without a file, with one virtual machine as it is by default.
void config_begin(struct config *c);

void config_free(struct config *c);

bool disk_is_readonly(const struct vm_desc *vm);
// Has it a network, and which address there?
bool     vm_has_network(const struct vm_desc *vm);
uint64_t vm_mac(const struct vm_desc *vm);

// Where a field of a machine stands; `subject` is what a message without a line names.
struct place vm_place(const struct config *c, const struct vm_desc *vm, enum vm_field f,
                      const char *subject);

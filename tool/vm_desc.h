// SPDX-License-Identifier: MIT
// A virtual machine as its user describes it, and the limits of every field.

#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { NAME_LENGTH_MAX = 31, BOOTARGS_LENGTH_MAX = 2047 };

struct vm_desc {
    const char *name;
    const char *kernel;         // a path
    const char *initrd;         // a path, or NULL
    const char *bootargs;
    const char *engine;
    uint64_t    memory;
    uint32_t    vcpus;
    uint32_t    shadow_pages;   // 0: as the monitor likes
};

extern const struct vm_desc vm_desc_defaults;

// Each takes a field's text and where it stands ("--memory", or a file and line). On false the
// mistake has been told and the field is as before.
bool name_parse(const char *where, const char *text, const char **name);
bool engine_parse(const char *where, const char *text, const char **engine);
bool bootargs_parse(const char *where, const char *text, const char **bootargs);
bool memory_parse(const char *where, const char *text, uint64_t *memory);
bool shadow_pages_parse(const char *where, const char *text, uint32_t *pages);

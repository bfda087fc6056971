// SPDX-License-Identifier: MIT
// Recognises what a machine boots, by content: a RISC-V Linux Image, an ELF file, a raw program, or
// by name the things people give instead.

#pragma once

#include "file.h"

#include <stdbool.h>
#include <stdint.h>

enum kernel_kind { KERNEL_IMAGE, KERNEL_ELF, KERNEL_RAW };

// Where a raw program goes unless its user says otherwise: behind the room of a firmware, where
// QEMU puts a payload, too.
#define RAW_LOAD 0x80200000ull

struct kernel {
    enum kernel_kind kind;
    struct blob      blob;      // as it goes into memory
    uint64_t         offset;    // where, from the start of RAM
    uint64_t         size;      // in memory: with .bss, so perhaps more than the blob
    uint64_t         entry;     // an address; not for an Image, which is entered at its start
};

// Makes a kernel of a file, which it takes over. `load` is for a raw program, 0: RAW_LOAD. On false
// the mistake has been told and nothing is to be freed.
bool kernel_make(struct kernel *k, struct blob *file, const struct place *at, uint64_t load);

// An ELF file's loadable segments in one blob. The file stays as it is.
bool elf_flatten(struct kernel *k, const struct blob *file, const struct place *at);

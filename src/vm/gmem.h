// SPDX-License-Identifier: MIT
// The one door to guest memory.  What comes through it is a copy: check it once, then use the copy.
#pragma once

#include "lib/bits.h"
#include "vm/vm.h"

// Is [at, at + len) RAM of this VM?  Any at and len may come; nothing wraps.  One that is off may
// have none.
static inline bool gmem_contains(const struct vm *vm, gpa_t at, u64 len)
{
    return vm->ram.a && range_contains(VM_RAM_BASE, vm->ram_size, at.a, len);
}

// Where guest RAM lies in the machine.  Only for what gmem_contains() has admitted.
static inline hpa_t gmem_to_host(const struct vm *vm, gpa_t at)
{
    return hpa(vm->ram.a + (at.a - VM_RAM_BASE));
}

// Copies; false, with nothing copied, if any byte lies outside RAM.
MUST_CHECK bool gmem_read(const struct vm *vm, gpa_t at, void *to, size_t len);
MUST_CHECK bool gmem_write(const struct vm *vm, gpa_t at, const void *from, size_t len);

// Sets bits of an aligned 8-byte word, if it still is `expected`.  False if it is not, or no RAM.
MUST_CHECK bool gmem_set_bits(const struct vm *vm, gpa_t at, u64 expected, u64 bits);

// A pte_reader over a VM's RAM.
bool gmem_pte(const void *vm, u64 at, u64 *pte);

// SPDX-License-Identifier: MIT
// Guest memory.
//
// In:     guest-physical addresses and lengths, of any value.
// Out:    copies of guest bytes; atomic changes of page-table entries.
// Always: every access is checked here, and nowhere else is a guest's number made a pointer.
// Locks:  none; guests race with us as they would with another hart, so words are read once.
#include "vm/gmem.h"

#include <string.h>

#ifndef __riscv
void (*gmem_watch)(hpa_t at, size_t len);
#endif

void gmem_load_bytes(hpa_t at, void *to, size_t len)
{
    memcpy(to, (const void *)at.a, len);
    gmem_loaded(at, len);
}

void gmem_store(hpa_t at, const void *from, size_t len)
{
    memcpy((void *)at.a, from, len);
}

static void *pointer(const struct vm *vm, gpa_t at)
{
    return (void *)gmem_to_host(vm, at).a;
}

bool gmem_read(const struct vm *vm, gpa_t at, void *to, size_t len)
{
    if (!gmem_contains(vm, at, len))
        return false;
    memcpy(to, pointer(vm, at), len);
    return true;
}

bool gmem_write(const struct vm *vm, gpa_t at, const void *from, size_t len)
{
    if (!gmem_contains(vm, at, len))
        return false;
    memcpy(pointer(vm, at), from, len);
    return true;
}

bool gmem_set_bits(const struct vm *vm, gpa_t at, u64 expected, u64 bits)
{
    if (!gmem_contains(vm, at, 8) || !is_aligned(at.a, 8))
        return false;
    return __atomic_compare_exchange_n((u64 *)pointer(vm, at), &expected, expected | bits, false,
                                       __ATOMIC_SEQ_CST, __ATOMIC_RELAXED);
}

bool gmem_pte(const void *vm, u64 at, u64 *pte)
{
    if (!gmem_contains(vm, gpa(at), 8))
        return false;
    *pte = __atomic_load_n((u64 *)pointer(vm, gpa(at)), __ATOMIC_RELAXED);
    return true;
}

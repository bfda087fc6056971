// SPDX-License-Identifier: MIT
// The one door to guest memory.  What comes through it is a copy: check it once, then use the copy.
#pragma once

#include "lib/bits.h"
#include "vm/vm.h"

// What a VM's RAM is, for whoever asks for many places at once: looked up once.  It does not move
// while vm->lock is held.
struct gmem {
    u64 at, size; // in the machine; of one that is off, none
};

static inline struct gmem gmem_of(const struct vm *vm)
{
    return (struct gmem){ vm->ram.a, vm->ram.a ? vm->ram_size : 0 };
}

// How far into RAM; more than any RAM has, if at lies before it.
static ALWAYS_INLINE u64 gmem_offset(gpa_t at)
{
    return at.a - VM_RAM_BASE;
}

// Is [at, at + len) RAM?  Any at and len may come, and nothing wraps; of one that is off, a length
// of 0 is none of our affair.
static ALWAYS_INLINE bool gmem_has(struct gmem ram, gpa_t at, u64 len)
{
    u64 off = gmem_offset(at);

    return off <= ram.size && len <= ram.size - off;
}

// The same for a piece that is not empty and shorter than 2^61, in one comparison: below bit 62 no
// difference wraps.
static ALWAYS_INLINE bool gmem_has_piece(struct gmem ram, gpa_t at, u64 len)
{
    u64 off = gmem_offset(at);

    return !((off | (ram.size - off - len) | (len - 1)) >> 62);
}

// Where it lies in the machine.  Only for what was admitted.
static ALWAYS_INLINE hpa_t gmem_place(struct gmem ram, gpa_t at)
{
    return hpa(ram.at + gmem_offset(at));
}

// The same for one place.  A VM that is off may have no RAM.
static inline bool gmem_contains(const struct vm *vm, gpa_t at, u64 len)
{
    return vm->ram.a && gmem_has(gmem_of(vm), at, len);
}

static inline hpa_t gmem_to_host(const struct vm *vm, gpa_t at)
{
    return gmem_place(gmem_of(vm), at);
}

// Words of a place that gmem_contains() has admitted, naturally aligned.  Each is one access, so
// that what another hart of the guest does meanwhile is seen before or after, never in between; and
// it is a copy, which the guest cannot change.
#ifdef __riscv
static inline void gmem_loaded(hpa_t at, size_t len)
{
    (void)at, (void)len;
}
#else
extern void (*gmem_watch)(hpa_t at, size_t len); // a test's: the guest, just after the load
static inline void gmem_loaded(hpa_t at, size_t len)
{
    if (gmem_watch)
        gmem_watch(at, len);
}
#endif

static ALWAYS_INLINE u16 gmem_load16(hpa_t at, int order)
{
    u16 value = __atomic_load_n((u16 *)at.a, order);

    gmem_loaded(at, sizeof value);
    return value;
}

static ALWAYS_INLINE u64 gmem_load64(hpa_t at)
{
    u64 value = __atomic_load_n((u64 *)at.a, __ATOMIC_RELAXED);

    gmem_loaded(at, sizeof value);
    return value;
}

static ALWAYS_INLINE void gmem_store8(hpa_t at, u8 value)
{
    __atomic_store_n((u8 *)at.a, value, __ATOMIC_RELAXED);
}

static ALWAYS_INLINE void gmem_store16(hpa_t at, u16 value, int order)
{
    __atomic_store_n((u16 *)at.a, value, order);
}

static ALWAYS_INLINE void gmem_store32(hpa_t at, u32 value)
{
    __atomic_store_n((u32 *)at.a, value, __ATOMIC_RELAXED);
}

// Bytes of such a place, aligned or not: each is read once.
void                      gmem_load_bytes(hpa_t at, void *to, size_t len);
static ALWAYS_INLINE void gmem_load(hpa_t at, void *to, size_t len)
{
    if (LIKELY(len <= 32 && !((at.a | (u64)to | len) % 8))) { // most structures are a few words
        for (size_t i = 0; i < len / 8; i++)
            ((u64 *)to)[i] = __atomic_load_n((u64 *)at.a + i, __ATOMIC_RELAXED);
        gmem_loaded(at, len);
    } else
        gmem_load_bytes(at, to, len);
}
void gmem_store(hpa_t at, const void *from, size_t len);

// Copies; false, with nothing copied, if any byte lies outside RAM.
MUST_CHECK bool gmem_read(const struct vm *vm, gpa_t at, void *to, size_t len);
MUST_CHECK bool gmem_write(const struct vm *vm, gpa_t at, const void *from, size_t len);

// Sets bits of an aligned 8-byte word, if it still is `expected`.  False if it is not, or no RAM.
MUST_CHECK bool gmem_set_bits(const struct vm *vm, gpa_t at, u64 expected, u64 bits);

// A pte_reader over a VM's RAM.
bool gmem_pte(const void *vm, u64 at, u64 *pte);

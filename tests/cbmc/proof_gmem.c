// SPDX-License-Identifier: MIT
// Proofs: whatever address and length a guest gives, gmem.c touches its RAM or nothing.
#include "proof.h"

#include "vm/gmem.c"

#define RAM  20
#define ROOM 32

static u8        ram[RAM];
static u8        outside[ROOM];
static struct vm vm;
static unsigned  n_copies;

void prove_gmem_contains(void);
void prove_gmem_read(void);
void prove_gmem_write(void);
void prove_gmem_words(void);

// In place of the C library's: all that it would touch must be ours, and RAM's side must be RAM.
void *memcpy(void *to, const void *from, size_t n)
{
    n_copies++;
    CLAIM(__CPROVER_w_ok(to, n));
    CLAIM(__CPROVER_r_ok(from, n));
    CLAIM(n == 0 || __CPROVER_same_object(to, ram) || __CPROVER_same_object(from, ram));
    return to;
}

static void vm_make(void)
{
    vm.ram      = hpa((u64)ram);
    vm.ram_size = RAM;
}

void prove_gmem_contains(void)
{
    u64 at = nondet_u64(), len = nondet_u64();

    vm.ram      = hpa(nondet_u64()); // 0: it is off
    vm.ram_size = nondet_u64();
    ASSUME(vm.ram_size <= 1ul << 37); // as configurations are checked
    CLAIM(gmem_contains(&vm, gpa(at), len) ==
          (vm.ram.a && at >= VM_RAM_BASE &&
           (unsigned __int128)at + len <= (unsigned __int128)VM_RAM_BASE + vm.ram_size));
}

void prove_gmem_read(void)
{
    u64 at = nondet_u64(), len = nondet_u64();

    vm_make();
    n_copies = 0;
    ASSUME(len <= ROOM || len > RAM); // callers have room for what they ask
    if (len <= ROOM || !gmem_contains(&vm, gpa(at), len))
        CLAIM(gmem_read(&vm, gpa(at), outside, len) == (n_copies == 1));
}

void prove_gmem_write(void)
{
    u64 at = nondet_u64(), len = nondet_u64();

    vm_make();
    n_copies = 0;
    ASSUME(len <= ROOM || len > RAM);
    if (len <= ROOM || !gmem_contains(&vm, gpa(at), len))
        CLAIM(gmem_write(&vm, gpa(at), outside, len) == (n_copies == 1));
}

// Entries of page tables: the pointer checks of CBMC look at each access.
void prove_gmem_words(void)
{
    u64 at = nondet_u64(), pte = 0;

    vm_make();
    ASSUME(at % 8 == 0);
    CLAIM(gmem_pte(&vm, at, &pte) == gmem_contains(&vm, gpa(at), 8));
    CLAIM(!gmem_set_bits(&vm, gpa(at), nondet_u64(), nondet_u64()) ||
          gmem_contains(&vm, gpa(at), 8));
}

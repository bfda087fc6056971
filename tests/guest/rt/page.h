// SPDX-License-Identifier: MIT
// Page tables for guests: a pool of table pages, address spaces with the kernel mapped as it lies,
// and one entry at a time at any level.
//
// An address space of n levels (3: Sv39, 4: Sv48, 5: Sv57) always has
//   0x80000000  one leaf of 1 GiB, supervisor, RWX: the guest's own image and memory
//   USER_BASE   the pages of section `.user`, user, RX: code for runs in U-mode
// Everything else is for the guest to map.
#pragma once

#include "guest.h"

enum {
    PTE_V = 1,
    PTE_R = 2,
    PTE_W = 4,
    PTE_X = 8,
    PTE_U = 16,
    PTE_G = 32,
    PTE_A = 64,
    PTE_D = 128,
    PTE_RWX = PTE_R | PTE_W | PTE_X,
    PTE_AD = PTE_A | PTE_D,
    PTE_KERNEL = PTE_V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D,
    PTE_USER = PTE_V | PTE_R | PTE_W | PTE_U | PTE_A | PTE_D,
};

#define PAGE      4096ul
#define USER_BASE 0x40000000ul
#define SATP_SV39 (8ul << 60)
#define SATP_SV48 (9ul << 60)
#define SATP_SV57 (10ul << 60)

typedef u64 pte_t;

struct space {
    pte_t *root;
    int    levels;
};

extern char user_start[], user_end[];

void   pages_reset(void);                       // the pool is full again
void  *page_take(void);                         // one page of zeros
void   space_make(struct space *s, int levels);
// The entry that translates va at this level (0: 4 KiB), with the tables above it made as needed.
pte_t *space_slot(struct space *s, u64 va, int level);
void   space_map(struct space *s, u64 va, u64 pa, u64 flags, int level);
u64    space_satp(const struct space *s, u64 asid);
void   space_enter(const struct space *s, u64 asid);    // satp, then a full fence
void   space_leave(void);                               // Bare, then a full fence
bool   levels_supported(int levels);

static inline pte_t pte_make(u64 pa, u64 flags)
{
    return pa >> 12 << 10 | flags;
}

static inline u64 level_size(int level)
{
    return PAGE << 9 * level;
}

// Where code of section `.user` is in user mode.
static inline u64 user_alias(u64 at)
{
    return USER_BASE + (at - (u64)user_start);
}

static inline void sfence_va(u64 va)
{
    __asm__ volatile("sfence.vma %0, zero" :: "r"(va) : "memory");
}

static inline void sfence_asid(u64 asid)
{
    __asm__ volatile("sfence.vma zero, %0" :: "r"(asid) : "memory");
}

static inline void sfence_va_asid(u64 va, u64 asid)
{
    __asm__ volatile("sfence.vma %0, %1" :: "r"(va), "r"(asid) : "memory");
}

// SPDX-License-Identifier: MIT
// Memory: pages, Sv39 page tables (privileged specification 1.12, 4.4), and the door to a process's
// memory.
//
// In:     the wish for an address space; addresses that processes hand to system calls.
// Out:    page tables that the hart walks; pointers that the kernel may use.
// Always: an address space has three parts, one entry of the root table each:
//             0x00000000  devices       the kernel's alone, the same in all spaces
//             0x40000000  the process   text shared and never writable, data and stack its own
//             0x80000000  the kernel    the kernel's alone, the same in all spaces, at the address
//                                       that it has in memory
//         A page is writable or executable, not both.  Every entry has A and D set, so that the
//         hart never asks for them.  The kernel goes to a process's memory by user_byte() alone.
#include "kernel.h"

#include <string.h>

#define PAGE       4096ul
#define POOL_PAGES 96

enum { PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16, PTE_AD = 0xc0 };
#define PTE_OWN  0x100 // of the bits for software: the page goes back to the pool with its table
#define PTE_LEAF (PTE_R | PTE_W | PTE_X)

#define USER_DATA  0x40100000ul
#define USER_STACK (USER_END - 4 * PAGE)
#define SATP_SV39  (8ul << 60)

static u64        pool[POOL_PAGES][PAGE / 8] __attribute__((aligned(4096)));
static u64       *free_first; // a free page begins with the address of the next
static u64       *kernel_root;
static const u64 *root_now;

static void page_drop(u64 *page)
{
    page[0]    = (u64)free_first;
    free_first = page;
}

static u64 *page_take(void)
{
    u64 *page = free_first;

    if (!page)
        return NULL;
    free_first = (u64 *)page[0];
    return memset(page, 0, PAGE);
}

static u64 *pte_table(u64 pte)
{
    return (u64 *)(pte >> 10 << 12);
}

// The entry for an address at a level: 0 for 4 KiB, 1 for 2 MiB.  Tables on the way are made.
static u64 *pte_find(u64 *table, u64 at, int level)
{
    for (int i = 2; i > level; i--) {
        u64 *pte = &table[at >> (12 + 9 * i) & 511];

        if (!*pte) {
            const u64 *below = page_take();

            if (!below)
                return NULL;
            *pte = (u64)below >> 12 << 10 | PTE_V;
        }
        table = pte_table(*pte);
    }
    return &table[at >> (12 + 9 * level) & 511];
}

static bool map(u64 *root, u64 at, u64 to, u64 rights, int level)
{
    u64 *pte = pte_find(root, at, level);

    if (pte)
        *pte = to >> 12 << 10 | rights | PTE_AD | PTE_V;
    return pte;
}

// Pages of the process's own: what stands at `from`, or zeros.
static bool map_own(u64 *root, u64 at, u64 end, const char *from)
{
    for (; at < end; at += PAGE) {
        u64 *page = page_take();

        if (!page)
            return false;
        if (!map(root, at, (u64)page, PTE_R | PTE_W | PTE_U | PTE_OWN, 0)) {
            page_drop(page);
            return false;
        }
        if (from) {
            memcpy(page, from, PAGE);
            from += PAGE;
        }
    }
    return true;
}

static bool map_same(u64 *root, u64 at, const char *from, const char *end, u64 rights)
{
    for (; from < end; from += PAGE, at += PAGE)
        if (!map(root, at, (u64)from, rights, 0))
            return false;
    return true;
}

void space_enter(const u64 *root)
{
    if (root == root_now)
        return;
    root_now = root;
    csr_write(satp, SATP_SV39 | (u64)root >> 12);
    __asm__ volatile("sfence.vma" ::: "memory");
}

void page_init(void)
{
    for (int i = 0; i < POOL_PAGES; i++)
        page_drop(pool[i]);
    kernel_root = page_take();
    map(kernel_root, 0x0c000000, 0x0c000000, PTE_R | PTE_W, 1); // PLIC
    map(kernel_root, 0x0c200000, 0x0c200000, PTE_R | PTE_W, 1);
    map(kernel_root, 0x10000000, 0x10000000, PTE_R | PTE_W, 1); // UART
    map_same(kernel_root, (u64)image_start, image_start, text_end, PTE_R | PTE_X);
    map_same(kernel_root, (u64)text_end, text_end, rodata_end, PTE_R);
    map_same(kernel_root, (u64)rodata_end, rodata_end, image_end, PTE_R | PTE_W);
    space_enter(kernel_root);
}

u64 *space_make(void)
{
    u64 *root = page_take();

    if (!root)
        return NULL;
    root[0] = kernel_root[0];
    root[2] = kernel_root[2];
    if (map_same(root, USER, user_text, user_text_end, PTE_R | PTE_X | PTE_U) &&
        map_own(root, USER_DATA, USER_DATA + ((u64)user_data_end - (u64)user_data), user_data) &&
        map_own(root, USER_STACK, USER_END, NULL))
        return root;
    space_drop(root);
    return NULL;
}

static void table_drop(u64 *table)
{
    for (int i = 0; i < 512; i++) {
        if (!table[i])
            continue;
        if (!(table[i] & PTE_LEAF))
            table_drop(pte_table(table[i]));
        else if (table[i] & PTE_OWN)
            page_drop(pte_table(table[i]));
    }
    page_drop(table);
}

// The hart may be walking these very tables.
void space_drop(u64 *root)
{
    space_enter(kernel_root);
    if (root[1])
        table_drop(pte_table(root[1]));
    page_drop(root);
}

char *user_byte(const struct proc *p, u64 at, bool to_write)
{
    u64 pte, wanted = PTE_V | PTE_U | (to_write ? PTE_W : PTE_R);

    if (at < USER || at >= USER_END)
        return NULL;
    pte = *pte_find(p->root, at, 0);
    return (pte & wanted) == wanted ? (char *)pte_table(pte) + at % PAGE : NULL;
}

bool user_write(const struct proc *p, u64 to, const void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char *byte = user_byte(p, to + i, true);

        if (!byte)
            return false;
        *byte = ((const char *)from)[i];
    }
    return true;
}

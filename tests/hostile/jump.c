// SPDX-License-Identifier: MIT
// Jumps to nowhere: first to all the places from which its trap handler brings it back, then (way=)
// to one from which nothing does: a trap vector that cannot be fetched from is a trap for ever.
// Shows: C3 P3
#include "hostile.h"

static const u64 nowhere[] = {
    0, 1, 2, 0xfff, 0x1000, SYSCON, RTC, CLINT, CLINT + 0xbff8, PLIC, PLIC + 0x200004, UART,
    UART + 8, VIRTIO, 0x20000000, 0x40000000, RAM - 2, RAM - 1, 1ul << 32, 1ul << 38, ~0ul << 38,
    1ul << 47, 1ul << 55, 1ul << 56, 1ul << 63, (1ul << 63) - 2, ~0ul - 1, ~0ul, 0x8000000080000000,
    0xffffffff80000000, 0x4000000080200000,
};

static void go(u64 to)
{
    __asm__ volatile("jalr %0" :: "r"(to) : "ra", "memory");
}

static void go_and_return(const char *paging)
{
    u64 came_back = 0;

    for (size_t i = 0; i < ARRAY_LEN(nowhere); i++)
        came_back += TRAPS(go(nowhere[i])) != CAUSE_NONE;
    came_back += TRAPS(go(ram_end())) != CAUSE_NONE;
    say("%s: %lu of %lu trapped", paging, came_back, ARRAY_LEN(nowhere) + 1);
}

// sret goes there, in S or U.
static void go_by_sret(u64 to, u64 spp)
{
    csr_write(CSR_SEPC, to);
    csr_clear(CSR_SSTATUS, SSTATUS_SPP);
    csr_set(CSR_SSTATUS, spp);
    __asm__ volatile("sret");
}

static void go_for_ever(u64 way, struct space *s)
{
    static const u64 vectors[] = { 0, UART, PLIC, CLINT, ~0ul << 12, 1ul << 40, RAM - 4,
                                   1ul << 63 };

    csr_write(CSR_SIE, 0);
    switch (way) {
    case 0 ... 7:
        csr_write(CSR_STVEC, vectors[way]);
        break;
    case 8:                                             // the vector is itself illegal
        *(u32 *)(SPARE) = 0;
        fence_i();
        csr_write(CSR_STVEC, SPARE);
        break;
    case 9:                                             // no page table at all
        csr_write(CSR_SATP, SATP_SV39 | (SPARE + MIB) >> 12);
        break;
    case 10:                                            // page tables where nothing is
        csr_write(CSR_SATP, SATP_SV57 | ((1ul << 44) - 1));
        break;
    case 11:                                            // the kernel becomes a user's page
        space_map(s, RAM, RAM, PTE_KERNEL | PTE_U, 2);
        space_enter(s, 1);
        break;
    case 12:                                            // the kernel is not executable
        space_map(s, RAM, RAM, PTE_KERNEL & ~(u64)PTE_X, 2);
        space_enter(s, 1);
        break;
    case 13: csr_write(CSR_STVEC, 1ul << 30); go_by_sret(0, 0); break;
    case 14: csr_write(CSR_STVEC, UART); go_by_sret(~0ul, SSTATUS_SPP); break;
    case 15:                                            // sleeps with everything masked
        timer_set(0);
        for (;;)
            __asm__ volatile("wfi");
    }
    __asm__ volatile(".word 0");
    for (;;)
        ;
}

GUEST(jump)
{
    struct space s;

    go_and_return("bare");
    for (int levels = 3; levels <= 5; levels++) {
        pages_reset();
        space_make(&s, levels);
        space_enter(&s, 7);
        go_and_return("paging");
        space_leave();
    }
    say("round %lu", arg("way", 0));
    go_for_ever(arg("way", 0), &s);
}

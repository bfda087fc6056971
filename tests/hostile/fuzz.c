// SPDX-License-Identifier: MIT
// The fuzzing guest: from a seed, a stream of CSR accesses, device accesses of all widths at random
// offsets, changes of page-table entries with random bits, fences, switches of satp, SBI calls,
// waits, returns to anywhere, random instructions in vS and vU, timers, interrupts to itself.  On
// any trap it goes on with the next step: its vector needs nothing of what the step may have broken.
// What it spares is the mapping of its own image, without which it would be over.
// What the command line says: seed=, the first; steps= of each, with tables and memory made anew
// for the next; seeds=, how many, then it rests.
// Shows: G2 P1 P2 P4 P5 C1 C8 C9 D8 D9 S1
#include "hostile.h"
#include "wild.h"

#include <string.h>

#define TABLES  32
#define SCRATCH (RAM + 32 * MIB)
#define SOME    (4 * MIB)
#define GIB     (1ul << 30)
#define CODE_AT (SCRATCH + 2 * MIB) // no jump of one instruction leads from here into the image
#define WORDS   24

static pte_t        tables[TABLES][512] __attribute__((aligned(PAGE)));
static u64          seed, first_seed, seeds_wanted, seeds_done, steps_of_seed, steps, traps;
static volatile u64 touched;

// Every table can be the root of any paging mode: entry 0 leads to table 0, entry 2 maps the image,
// entry 1 lets U execute it.
static void image_keep(pte_t *table)
{
    table[0] = pte_make((u64)tables[0], PTE_V);
    table[1] = pte_make(RAM, PTE_V | PTE_R | PTE_X | PTE_U | PTE_A | PTE_D);
    table[2] = pte_make(RAM, PTE_KERNEL);
}

static u64 any_page(void)
{
    static const u64 devices[] = { SYSCON, RTC, CLINT, PLIC, PLIC + 0x200000, UART, VIRTIO };

    switch (any_below(6, &seed)) {
    case 0:  return any_of(devices, &seed);
    case 1:  return (u64)tables[any_below(TABLES, &seed)];
    case 2:  return edge_number(&seed);
    case 3:  return random_next(&seed);
    default: return SCRATCH + any_below(SOME, &seed);
    }
}

static bool is_own(u64 pa)
{
    return pa >= RAM && pa < SCRATCH;
}

// Its own image and tables may be read through what it maps, never written.
static void entry_change(void)
{
    pte_t *table = tables[any_below(TABLES, &seed)];
    u64    slot = any_below(2, &seed) ? any_below(512, &seed) : any_below(8, &seed);
    u64    pa = any_page(), flags = random_next(&seed) & 0x3ff;

    if (slot <= 2)
        return;
    switch (any_below(4, &seed)) {
    case 0: flags = PTE_V; pa = (u64)tables[any_below(TABLES, &seed)]; break;
    case 1: flags |= PTE_KERNEL; break;
    case 2: flags |= PTE_V | (random_next(&seed) & 0x7ful << 54); break;
    }
    if (flags & (PTE_R | PTE_X | PTE_W) && (is_own(pa & ~(GIB - 1)) || is_own(pa)))
        flags &= ~(u64)(PTE_W | PTE_V);
    table[slot] = pte_make(pa & ((1ul << 56) - 1), flags & 0x3ff) | (flags & 0x7ful << 54);
}

static u64 any_va(void)
{
    switch (any_below(3, &seed)) {
    case 0:  return any_page();
    case 1:  return any_below(8, &seed) << 30 | any_below(8, &seed) << 21 |
                    any_below(8, &seed) << 12 | any_below(PAGE, &seed);
    default: return edge_number(&seed) + any_below(16, &seed);
    }
}

static void access_any(void)
{
    u64 at = any_below(2, &seed) ? any_va() : any_page() + any_below(0x3000, &seed);
    u64 value = edge_number(&seed);
    bool reads = is_own(at & ~7ul) || (at >= SYSCON && at < SYSCON + 4); // or it would end itself

    if (!any_below(2, &seed))
        at &= ~7ul;
    switch (any_below(reads ? 6 : 13, &seed)) {
    case 0:  touched += peek8(at); break;
    case 1:  touched += peek16(at); break;
    case 2:  touched += peek32(at); break;
    case 3:  touched += peek64(at); break;
    case 4:  __asm__ volatile("lr.d zero, (%0)" :: "r"(at) : "memory"); break;
    case 5:  __asm__ volatile("lb zero, (%0)" :: "r"(at) : "memory"); break;
    case 6:  poke8(at, value); break;
    case 7:  poke16(at, value); break;
    case 8:  poke32(at, value); break;
    case 9:  poke64(at, value); break;
    case 10: __asm__ volatile("amoswap.d zero, %0, (%1)" :: "r"(value), "r"(at) : "memory"); break;
    case 11: __asm__ volatile("amoadd.w zero, %0, (%1)" :: "r"(value), "r"(at) : "memory"); break;
    case 12: __asm__ volatile("sc.w zero, %0, (%1)" :: "r"(value), "r"(at) : "memory"); break;
    }
}

// One CSR instruction of any kind with any number; those that hold the attacker up come back.
static void csr_any(void)
{
    static const u32 known[] = { 0x100, 0x104, 0x106, 0x10a, 0x141, 0x142, 0x143, 0x144, 0x14d,
                                 0xc00, 0xc01, 0xc02, 1, 2, 3, 0x105, 0x180, 0x140 };
    u32 csr = (u32)(any_below(4, &seed) ? any_of(known, &seed) : any_below(4096, &seed));
    u32 op = 1 + (u32)any_below(7, &seed), *code = (u32 *)code_page;
    u64 value = edge_number(&seed);

    if (csr == CSR_STVEC || csr == CSR_SATP || csr == CSR_SSCRATCH)
        return;
    code[0] = csr << 20 | 10u << 15 | op << 12 | 11u << 7 | 0x73; // csrr? a1, csr, a0
    code[1] = 0x00008067;                                         // ret
    fence_i();
    __asm__ volatile("mv a0, %0\n jalr %1" :: "r"(value), "r"(code_page)
                     : "a0", "a1", "ra", "memory");
}

static void satp_any(void)
{
    u64 mode = any_below(16, &seed), asid = random_next(&seed) >> 48;

    if (any_below(4, &seed))
        mode = any_below(4, &seed) ? 8 + any_below(3, &seed) : 0;
    if (any_below(2, &seed))
        asid &= 3;
    csr_write(CSR_SATP, mode << 60 | asid << 44 | (u64)tables[any_below(8, &seed)] >> 12);
}

static void fence_any(void)
{
    u64 va = any_va(), asid = any_below(4, &seed), size = edge_number(&seed);

    switch (any_below(8, &seed)) {
    case 0: sfence_all(); break;
    case 1: sfence_va(va); break;
    case 2: sfence_asid(asid); break;
    case 3: sfence_va_asid(va, asid); break;
    case 4: sbi_call(SBI_RFENCE, 1, 1, 0, va, size); break;
    case 5: sbi_call(SBI_RFENCE, 2, 1, 0, va, size, asid); break;
    case 6: __asm__ volatile(".word 0x16000073 | 10 << 15"); break; // sinval.vma a0, zero
    case 7: fence_i(); break;
    }
}

static void call_any(void)
{
    static const u64 extensions[] = { SBI_BASE, SBI_TIME, SBI_IPI, SBI_RFENCE, SBI_HSM, SBI_DBCN,
                                      0, 3, 4, 6, 7 };
    u64 ext = any_of(extensions, &seed), fid = any_below(4, &seed), a[6];

    for (int i = 0; i < 6; i++)
        a[i] = edge_number(&seed);
    if (ext == SBI_HSM && (fid == 1 || fid == 3))
        a[0] = 7, fid = 2;
    if (ext == SBI_DBCN && any_below(64, &seed))
        return;
    sbi_call6(ext, fid, a);
}

// Interrupts are the only way back from here, so one is on its way.
static void wait_any(void)
{
    timer_set(time_now() + any_below(300, &seed));
    csr_write(CSR_SIE, INT_STI);
    if (any_below(2, &seed))
        csr_set(CSR_SSTATUS, SSTATUS_SIE);
    if (any_below(4, &seed))
        __asm__ volatile("wfi");
    else
        sbi_call(SBI_HSM, 3, 0x80000000, (u64)wild_vector, 0);
}

// With registers at random; a timer ends what loops.
static void go(u64 to, u64 status)
{
    u64 x[32], at;

    for (int i = 0; i < 32; i++) {
        at   = any_below(2, &seed) ? any_va() : edge_number(&seed);
        x[i] = is_own(at) || at - SYSCON < PAGE ? random_next(&seed) : at;
    }
    x[A7] = 1ul << 40;
    timer_set(time_now() + 100);
    csr_write(CSR_SIE, INT_STI);
    wild_go(to, status | SSTATUS_SPIE, x);
}

static u64 status_any(void)
{
    return random_next(&seed) & (SSTATUS_SPP | SSTATUS_SUM | SSTATUS_MXR | SSTATUS_FS);
}

static void return_anywhere(void)
{
    u64 to = any_below(2, &seed) ? any_va() : SCRATCH + any_below(SOME, &seed);

    if (!is_own(to))
        go(to, status_any());
}

static bool is_system(u32 insn)
{
    return (insn & 0x7f) == 0x73;
}

static u32 random_insn(void)
{
    static const u32 shapes[] = {
        0x73,       0x1073,     0x2073,     0x3073,     0x5073,     0x12000073, 0x16000073,
        0x10500073, 0x0003,     0x1003,     0x3003,     0x0023,     0x2023,     0x3023,
        0x202f,     0x302f,     0x1000302f, 0x1800302f, 0x000f,     0x100f,     0x200f,
        0x2007,     0x3007,     0x3027,     0x0053,     0x0067,     0x0063,     0x0013,
    };
    u32 word = (u32)random_next(&seed);

    switch (any_below(4, &seed)) {
    case 0:  return word;
    case 1:  return (u32)any_of(shapes, &seed) | (word & 0xfff07f80);
    case 2:  return (u32)any_of(shapes, &seed) | (word & 0x01ff8f80);
    default: return (word & 0xffff0000) | (u32)any_below(0x10000, &seed);
    }
}

// In vU anything at all; in vS nothing by which the attacker would lose itself.
static void instructions_any(void)
{
    u64  status = status_any(), at = CODE_AT + any_below(8, &seed) * PAGE;
    bool user = !(status & SSTATUS_SPP);
    u32 *code = (u32 *)at;

    csr_clear(CSR_SSTATUS, SSTATUS_SIE);
    for (int i = 0; i < WORDS; i++)
        do
            code[i] = random_insn();
        while (!user && (is_system(code[i]) || is_system(code[i] >> 16)));
    code[WORDS] = 0;
    fence_i();
    if (user && csr_read(CSR_SATP))
        at = at - RAM + GIB;
    go(at + any_below(WORDS, &seed) * 2, status);
}

static void interrupt_any(void)
{
    static const u64 deadlines[] = { 0, 1, 1ul << 63, ~0ul, ~0ul - 1 };

    csr_write(CSR_SIE, random_next(&seed));
    switch (any_below(6, &seed)) {
    case 0: timer_set(any_of(deadlines, &seed)); break;
    case 1: csr_write(CSR_STIMECMP, time_now() + any_below(100, &seed) - 50); break;
    case 2: sbi_call(SBI_IPI, 0, 1, 0); break;
    case 3: csr_set(CSR_SIP, edge_number(&seed)); break;
    case 4: csr_clear(CSR_SIP, edge_number(&seed)); break;
    case 5: csr_set(CSR_SSTATUS, SSTATUS_SIE); break;
    }
}

static void step(void)
{
    switch (any_below(16, &seed)) {
    case 0 ... 2:  csr_any(); break;
    case 3 ... 7:  access_any(); break;
    case 8 ... 10: entry_change(); break;
    case 11:       fence_any(); break;
    case 12:       satp_any(); break;
    case 13:       call_any(); break;
    case 14:       interrupt_any(); break;
    default:
        switch (any_below(8, &seed)) {
        case 0:  wait_any(); break;
        case 1:  return_anywhere(); break;
        case 2 ... 4: instructions_any(); break;
        default: fence_any(); break;
        }
    }
}

// What the last step made pend must not come back at once, for ever.
static void calm(void)
{
    csr_write(CSR_SIE, 0);
    csr_write(CSR_SIP, 0);
    csr_write(CSR_SSTATUS, (csr_read(CSR_SSTATUS) & ~(SSTATUS_SIE | SSTATUS_SUM)) | SSTATUS_SPP);
    csr_write(CSR_STVEC, (u64)wild_vector);
}

// All that a seed's steps depend on.
static void seed_begin(void)
{
    csr_write(CSR_SATP, 0);
    seed = (first_seed + seeds_done) * 0x9e3779b97f4a7c15ul | 1;
    memset(tables, 0, sizeof tables);
    for (int i = 0; i < TABLES; i++)
        image_keep(tables[i]);
    for (u64 at = SCRATCH; at < SCRATCH + SOME; at += PAGE / 4)
        *(volatile u64 *)at = random_next(&seed);
    sfence_all();
}

static void seed_end(void)
{
    csr_write(CSR_SATP, 0);
    seeds_done++;
    say("round seed=%lu seeds=%lu steps=%lu traps=%lu", first_seed + seeds_done - 1, seeds_done,
        steps, traps);
    if (seeds_done == seeds_wanted) {
        say("all done");
        rest();
    }
    seed_begin();
}

// Gets here from every trap, too.
void wild_again(void)
{
    traps++;
    for (;;) {
        calm();
        if (steps++ / steps_of_seed > seeds_done)
            seed_end();
        step();
    }
}

GUEST(fuzz)
{
    first_seed    = arg("seed", 1);
    seeds_wanted  = arg("seeds", ~0ul);
    steps_of_seed = arg("steps", 5000);
    say("round 0");
    csr_write(CSR_STVEC, (u64)wild_vector);
    seed_begin();
    wild_again();
}

// SPDX-License-Identifier: MIT
// The biggest legal request of each kind: how long one of them keeps the hart in the monitor.  The
// shortest of several tries counts, so that the witness's turns are not in it.
// Shows: S2 G4
#include "hostile.h"

#define SPACES 64 // address spaces with entries in all of them
#define PAGES  64
#define VA     0x100000000ul
#define TRIES  4

static struct space spaces[SPACES];
static u64          memory[PAGES * PAGE / 8] __attribute__((aligned(PAGE)));

// Entries of as many spaces, faces and pages as the monitor keeps.
static void spaces_fill(void)
{
    static const u64 faces[] = { 0, SSTATUS_SUM, SSTATUS_MXR, SSTATUS_SUM | SSTATUS_MXR };

    for (u64 i = 0; i < SPACES; i++) {
        csr_write(CSR_SATP, space_satp(&spaces[i], i + 1));
        for (size_t f = 0; f < ARRAY_LEN(faces); f++) {
            csr_clear(CSR_SSTATUS, SSTATUS_SUM | SSTATUS_MXR);
            csr_set(CSR_SSTATUS, faces[f]);
            for (u64 p = 0; p < arg("touch", 1); p++)
                peek64(VA + p * PAGE);
        }
    }
}

typedef void request(void);

static u64 any_space(void)
{
    return time_now() % SPACES;
}

// clang-format off
static void rfence_largest(void)  { sbi_call(SBI_RFENCE, 1, 1, 0, VA, PAGES * PAGE); }
static void rfence_asid(void)     { sbi_call(SBI_RFENCE, 2, 1, 0, VA, PAGES * PAGE, 1); }
static void rfence_wrapping(void) { sbi_call(SBI_RFENCE, 1, 1, 0, ~0ul - 3 * PAGE, PAGES * PAGE); }
static void rfence_endless(void)  { sbi_call(SBI_RFENCE, 1, 1, 0, VA, ~0ul); }
static void rfence_odd(void)      { sbi_call(SBI_RFENCE, 1, 1, 0, VA + 1, PAGES * PAGE - 1); }
static void legacy_fence(void)    { sbi_call(6, 0, 0, VA, PAGES * PAGE); }
static void legacy_asid(void)     { sbi_call(7, 0, 0, VA, PAGES * PAGE, 1); }
static void sfence_one(void)      { sfence_va(VA); }
static void sfence_one_asid(void) { sfence_va_asid(VA, 1); }
static void sfence_of_asid(void)  { sfence_asid(1); }
static void sfence_of_all(void)   { sfence_all(); }
static void satp_new(void)        { csr_write(CSR_SATP, space_satp(&spaces[any_space()], 1)); }
static void console_chunk(void)   { sbi_call(SBI_DBCN, 0, 0, RAM, 0); }
static void console_most(void)    { sbi_call(SBI_DBCN, 0, 60, RAM + 16 * MIB, 0); }
static void console_read(void)    { sbi_call(SBI_DBCN, 1, MIB, RAM + 16 * MIB, 0); }
static void plic_worst(void)      { poke32(PLIC_ENABLE(CONTEXT_S, 0), ~0u); }
static void illegal(void)         { TRAPS(csr_read(0x7ff)); }
static void first_touch(void)     { sfence_all(); peek64(VA); }

static const struct { const char *name; request *make; } requests[] = {
    { "rfence",        rfence_largest }, { "rfence_asid",     rfence_asid },
    { "rfence_wrap",   rfence_wrapping}, { "rfence_endless",  rfence_endless },
    { "rfence_odd",    rfence_odd },
    { "legacy_fence",  legacy_fence },   { "legacy_asid",     legacy_asid },
    { "sfence_va",     sfence_one },     { "sfence_va_asid",  sfence_one_asid },
    { "sfence_asid",   sfence_of_asid }, { "sfence_all",      sfence_of_all },
    { "satp",          satp_new },       { "console_empty",   console_chunk },
    { "console",       console_most },   { "console_read",    console_read },
    { "plic",          plic_worst },     { "illegal",         illegal },
    { "first_touch",   first_touch },
};
// clang-format on

// In ticks of 100 ns.
static u64 shortest(request *make)
{
    u64 best = ~0ul;

    for (int i = 0; i < TRIES; i++) {
        u64 start, took;

        spaces_fill();
        start = time_now();
        make();
        took = time_now() - start;
        best = took < best ? took : best;
    }
    return best;
}

GUEST(bulk)
{
    pages_reset();
    for (u64 i = 0; i < SPACES; i++) {
        space_make(&spaces[i], 3);
        for (u64 p = 0; p < PAGES; p++)
            space_map(&spaces[i], VA + p * PAGE, (u64)memory + p * PAGE, PTE_KERNEL, 0);
        space_map(&spaces[i], PLIC, PLIC, PTE_KERNEL, 1);
    }
    for (u64 round = 1;; round++) {
        for (size_t i = 0; i < ARRAY_LEN(requests); i++)
            say("%s ns=%lu", requests[i].name, 100 * shortest(requests[i].make));
        say("round %lu", round);
    }
}

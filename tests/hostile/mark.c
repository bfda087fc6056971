// SPDX-License-Identifier: MIT
// Leaves a mark wherever a VM can, and powers off; or, started where the other was, looks for it.
// way=0 leaves it: in all RAM but the image, in the floating-point and vector registers, in CSRs
// and devices; and says how many words of RAM it has marked.
// way=1 looks for it in all of that, at its start.
// way=2 leaves it, and goes on until somebody ends it.
// The mark is computed, so that no image has it.
// Shows: P12 C6 C7
#include "fp.h"
#include "hostile.h"
#include "vector.h"

extern char image_start[], image_end[];

static u64 mark, marked[VECTOR_WORDS];

static u64 fill(u64 from, u64 to)
{
    for (u64 at = from; at < to; at += 8)
        *(volatile u64 *)at = mark;
    return (to - from) / 8;
}

static u64 found(u64 from, u64 to)
{
    u64 n = 0;

    for (u64 at = from; at < to; at += 8)
        n += *(volatile u64 *)at == mark;
    return n;
}

static void leave(bool stays)
{
    struct fp f;
    u64       words = fill(RAM, (u64)image_start) + fill((u64)image_end, ram_end());

    for (int i = 0; i < 32; i++)
        f.f[i] = mark;
    f.fcsr = 0x5f;
    fs_set(FS_DIRTY);
    fp_load(&f);
    if (vector_on()) {
        for (u64 i = 0; i < VECTOR_WORDS; i++)
            marked[i] = mark;
        vector_load(marked);
    }
    csr_write(CSR_SEPC, mark);
    csr_write(CSR_STVAL, mark);
    csr_write(CSR_SCAUSE, mark);
    csr_write(CSR_SENVCFG, mark);
    csr_write(CSR_SIE, mark);
    poke8(UART + UART_SCR, 0x6b);
    poke32(RTC + RTC_ALARM_HIGH, ~0u);
    poke32(RTC + RTC_ALARM_LOW, ~0u);
    poke32(PLIC_PRIORITY(IRQ_UART), 7);
    poke32(PLIC_ENABLE(CONTEXT_S, 0), ~0u);
    poke32(PLIC_THRESHOLD(CONTEXT_S), 5);
    say("round marked words=%lu", words);
    while (stays)
        ;
    sbi_call(SBI_SRST, 0, 0, 0);
}

static u64 registers_find(void)
{
    struct fp f;
    u64       n = 0;

    fs_set(FS_DIRTY);
    fp_store(&f);
    for (int i = 0; i < 32; i++)
        n += f.f[i] != 0;
    n += f.fcsr != 0;
    if (vector_on()) {
        vector_store(marked);
        for (u64 i = 0; i < csr_read(CSR_VLENB) * 4; i++)
            n += marked[i] != 0;
    }
    return n;
}

static u64 devices_find(void)
{
    return peek8(UART + UART_SCR) + peek32(RTC + RTC_ALARM_STATUS) +
           peek32(PLIC_PRIORITY(IRQ_UART)) + peek32(PLIC_ENABLE(CONTEXT_S, 0)) +
           peek32(PLIC_THRESHOLD(CONTEXT_S));
}

GUEST(mark)
{
    u64 csrs = csr_read(CSR_SEPC) + csr_read(CSR_STVAL) + csr_read(CSR_SCAUSE) +
               csr_read(CSR_SENVCFG) + csr_read(CSR_SIE) + boot_state.satp + boot_state.sie;

    mark = (arg("seed", 1) + 0x1234567) * 0x9e3779b97f4a7c15ul;
    if (arg("way", 0) != 1)
        leave(arg("way", 0) == 2);
    say("round found ram=%lu registers=%lu csrs=%lu devices=%lu of=%lu",
        found(RAM, (u64)image_start) + found((u64)image_end, ram_end()), registers_find(), csrs,
        devices_find(), (ram_end() - RAM) / 8);
    rest();
}

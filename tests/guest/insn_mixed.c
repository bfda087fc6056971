// SPDX-License-Identifier: MIT
// Random straight code in S-mode that mixes CSR instructions with arithmetic, loads, stores, AMOs
// and forward branches, as a kernel's trap entry and exit do: all registers, the CSRs and the
// memory afterwards.  With and without paging.  One hash for each 500 sequences.
// Shows: C1 C2
#include "insn.h"
#include "page.h"

#define LENGTH 24
#define BYTES  256

static u64 memory[BYTES / 8] __attribute__((aligned(BYTES)));
static u64 seed = 0x600dcafe;

static u32 any_reg(void)
{
    u32 reg = random_next(&seed) & 31;

    return reg == S0 ? (u32)A0 : reg;           // s0 points to the memory
}

// Everything but what ends the run: sscratch holds it, and satp, stvec and sie stay as they are.
static u32 insn_system(void)
{
    static const u32 csrs[] = { CSR_SEPC, CSR_SCAUSE, CSR_STVAL };
    static const u32 reads[] = { CSR_SSTATUS, CSR_SIE, CSR_SIP, CSR_STVEC, CSR_SATP,
                                 CSR_SCOUNTEREN, CSR_SSCRATCH };
    static const u32 forms[] = { CSRRW, CSRRS, CSRRC, CSRRWI, CSRRSI, CSRRCI };
    u32 csr = csrs[random_next(&seed) % 3];
    u32 form = forms[random_next(&seed) % 6];

    if (csr == CSR_SEPC)                        // its bit 0 is none of ours: see README.md
        form |= 4;

    switch (random_next(&seed) % 8) {
    case 0:     return insn_csr(CSRRS, any_reg(), reads[random_next(&seed) % 7], ZERO);
    case 1:     return insn_csr(CSRRSI, any_reg(), CSR_SSTATUS, 0);
    case 2:     return insn_csr(CSRRCI, any_reg(), CSR_SSTATUS, 2);
    case 3:     return insn_csr(CSRRSI, any_reg(), CSR_SIP, 2);
    case 4:     return insn_csr(CSRRCI, any_reg(), CSR_SIP, 2);
    default:    return insn_csr(form, any_reg(), csr,
                                form > 4 ? (random_next(&seed) & 30) : any_reg());
    }
}

static u32 insn_any(u32 left)
{
    static const u8 loads[] = { 0, 1, 2, 3, 4, 5, 6 };
    u32 r = random_next(&seed) >> 32;

    switch (r % 10) {
    case 0: case 1: case 2:
        return insn_system();
    case 3:
        return insn_load(loads[r / 16 % 7], any_reg(), S0, r >> 8 & 0xf8);
    case 4:
        return insn_store(r / 16 % 4, any_reg(), S0, r >> 8 & 0xf8);
    case 5:
        return insn_r(0x33, r >> 4 & 7, (r >> 7 & 7) == 0, any_reg(), any_reg(), any_reg());
    case 6:
        return insn_i(r & 64 ? 0x1b : 0x13, 0, any_reg(), any_reg(), r >> 8);
    case 7:
        return insn_i(0x13, 2 + (r >> 4) % 3, any_reg(), any_reg(), r >> 8);
    case 8:
        // A branch ahead over at most the rest: beq, bne, blt, bge, bltu, bgeu.
        return insn_r(0x63, (r >> 4) % 6 < 2 ? (r >> 4) % 6 : (r >> 4) % 6 + 2, 0,
                      4 * (1 + (r >> 8) % (left < 7 ? left : 7)), any_reg(), any_reg());
    default:
        return insn_amo(r & 16 ? 0 : 1, 3, any_reg(), S0, any_reg());
    }
}

static u64 sequence_hash(u64 h)
{
    u32        insns[LENGTH + 5];
    struct cpu c;
    u32        n;
    u64        base;

    for (n = 0; n < LENGTH; n++)
        insns[n] = insn_any(LENGTH - n);
    insns[n++] = insn_csr(CSRRCI, ZERO, CSR_SIP, 2);
    insns[n++] = insn_csr(CSRRS, A3, CSR_SEPC, ZERO);
    insns[n++] = insn_csr(CSRRS, A4, CSR_SCAUSE, ZERO);
    insns[n++] = insn_csr(CSRRS, A5, CSR_STVAL, ZERO);
    insns[n++] = INSN_EBREAK;
    base = code_put(insns, n);

    cpu_init(&c, MODE_S, base);
    for (int r = 1; r < 32; r++)
        c.x[r] = random_next(&seed) & ~1ul;
    c.x[S0] = (u64)memory;
    for (size_t i = 0; i < BYTES / 8; i++)
        memory[i] = random_next(&seed);
    csr_write(CSR_SCAUSE, 0);
    csr_write(CSR_STVAL, 0);
    cpu_run(&c);
    h = hash_add(h, c.cause);
    h = hash_add(h, c.pc - base);
    for (int r = 1; r < 32; r++)
        h = hash_add(h, c.x[r]);
    for (size_t i = 0; i < BYTES / 8; i++)
        h = hash_add(h, memory[i]);
    detail("code");
    for (u32 i = 0; i < LENGTH; i++)
        detail(" %08x", insns[i]);
    detail("\ncause %lu pc +%lu:", c.cause, c.pc - base);
    for (u32 r = 1; r < 32; r++)
        detail(" x%u=%lx", r, c.x[r]);
    detail(" hash %016lx\n", h);
    return h;
}

GUEST(insn_mixed)
{
    struct space space;

    csr_write(CSR_SCOUNTEREN, 7);
    space_make(&space, 3);
    for (int block = 0; block < 12; block++) {
        u64 h = HASH_START;

        if (block == 6)
            space_enter(&space, 1);
        for (int i = 0; i < 500; i++)
            h = sequence_hash(h);
        printf("%s %016lx\n", block < 6 ? "Bare" : "Sv39", h);
    }
    space_leave();
}

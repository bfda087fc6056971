// SPDX-License-Identifier: MIT
// Every form of load and store on device registers: each width and sign, each destination and
// source register, positive and negative offsets, and the compressed forms, with and without sp.
// Shows: D8 C1
#include "board.h"
#include "insn.h"
#include "page.h"

static u64 run_hash(u64 h, enum mode mode, u32 insn, u32 base_reg, u64 base_value)
{
    struct cpu c;
    u64        pc = CODE(insn, INSN_EBREAK);

    if (mode == MODE_U)
        pc = user_alias(pc);
    cpu_init(&c, mode, pc);
    c.x[base_reg] = base_value;
    cpu_run(&c);
    h = hash_add(h, c.cause);
    h = hash_add(h, c.pc - pc);
    h = hash_add(h, c.tval);
    for (int r = 1; r < 32; r++)
        h = hash_add(h, c.x[r]);
    detail("%08x: %s pc +%lu tval %lx", insn, cause_text(c.cause), c.pc - pc, c.tval);
    for (u64 r = 1; r < 32; r++)
        if (c.x[r] != 0x0101010101010101 * r && r != base_reg)
            detail(" x%lu=%lx", r, c.x[r]);
    detail("\n");
    return h;
}

// The scratch register is a byte, a priority a word: between them all widths.
static u64 plain_hash(enum mode mode, u64 uart, u64 plic)
{
    u64 h = HASH_START;

    for (u32 reg = 0; reg < 32; reg++) {
        u32 base = reg == A1 ? A2 : A1;

        for (u32 funct3 = 0; funct3 < 7; funct3++) {
            if (funct3 == 0 || funct3 == 4)
                h = run_hash(h, mode, insn_load(funct3, reg, base, 7), base, uart);
            if (funct3 == 2 || funct3 == 6)
                h = run_hash(h, mode, insn_load(funct3, reg, base, -2048u), base, plic + 12 + 2048);
        }
        h = run_hash(h, mode, insn_store(0, reg, base, -1u), base, uart + 8);
        h = hash_add(h, peek8(uart + 7));
        h = run_hash(h, mode, insn_store(2, reg, base, 0x7fc), base, plic + 12 - 0x7fc);
        h = hash_add(h, peek32(plic + 12));
    }
    // The base register is the destination too.
    h = run_hash(h, mode, insn_load(4, A1, A1, 7), A1, uart);
    return run_hash(h, mode, insn_load(2, A1, A1, 12), A1, plic);
}

// c.lw, c.ld, c.sw, c.sd with all their registers and offsets; then those relative to sp.
static u64 compressed_hash(enum mode mode, u64 uart, u64 plic)
{
    u64 h = HASH_START;

    for (u32 rd = 0; rd < 8; rd++)
        for (u32 rs1 = 0; rs1 < 8; rs1++) {
            u32 regs = rs1 << 7 | rd << 2 | 0x90020000;

            h = run_hash(h, mode, 0x4000 | regs, 8 + rs1, plic + 12);
            h = run_hash(h, mode, 0x5c60 | regs, 8 + rs1, plic + 12 - 124);
            h = run_hash(h, mode, 0x6000 | regs, 8 + rs1, uart);
            h = run_hash(h, mode, 0xc000 | regs, 8 + rs1, plic + 12);
            h = hash_add(h, peek32(plic + 12));
            h = run_hash(h, mode, 0xc040 | regs, 8 + rs1, plic + 8);
            h = hash_add(h, peek32(plic + 12));
        }
    for (u32 reg = 0; reg < 32; reg++) {
        h = run_hash(h, mode, 0x90024002 | reg << 7, SP, plic + 12);
        h = run_hash(h, mode, 0x90026002 | reg << 7, SP, uart);
        h = run_hash(h, mode, 0x9002c002 | reg << 2, SP, plic + 12);
        h = hash_add(h, peek32(plic + 12));
    }
    return h;
}

GUEST(dev_forms)
{
    struct space space;
    u64          plain, compressed;

    poke8(UART + UART_IER, 0);
    plain = plain_hash(MODE_S, UART, PLIC);
    compressed = compressed_hash(MODE_S, UART, PLIC);
    printf("S, Bare: %016lx %016lx\n", plain, compressed);

    space_make(&space, 3);
    space_map(&space, 0x180000000, UART, PTE_USER, 0);
    space_map(&space, 0x180200000, PLIC, PTE_USER, 1);
    space_enter(&space, 0);
    csr_set(CSR_SSTATUS, SSTATUS_SUM);
    plain = plain_hash(MODE_U, 0x180000000, 0x180200000);
    compressed = compressed_hash(MODE_U, 0x180000000, 0x180200000);
    csr_clear(CSR_SSTATUS, SSTATUS_SUM);
    space_leave();
    poke32(PLIC_PRIORITY(3), 0);
    printf("U, Sv39: %016lx %016lx\n", plain, compressed);
}

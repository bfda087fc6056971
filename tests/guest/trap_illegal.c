// SPDX-License-Identifier: MIT
// Illegal instructions: cause 2, the pc of the instruction, the instruction itself in stval, and no
// register changed.  Also at a halfword address and across a page border.
// Shows: C1 C4
#include "insn.h"

static u8 two_pages[2 * CODE_SIZE] __attribute__((section(".user"), aligned(CODE_SIZE))) = { 1 };

static void illegal_try(enum mode mode, u32 insn, u64 at)
{
    struct cpu c;
    int        changed = 0;

    *(u16 *)at = (u16)insn;
    *(u16 *)(at + 2) = insn >> 16;
    fence_i();
    cpu_init(&c, mode, at);
    cpu_run(&c);
    for (u64 r = 1; r < 32; r++)
        changed += c.x[r] != 0x0101010101010101 * r;
    printf("%08x from %c at ..%03lx: %s pc %+ld tval %#lx, %d changed\n", insn,
           mode == MODE_U ? 'U' : 'S', at & 0xfff, cause_text(c.cause), (long)(c.pc - at), c.tval,
           changed);
}

GUEST(trap_illegal)
{
    static const u32 insns[] = {
        0x00000000, 0xffff0000, 0xffffffff, 0x0000000b, 0x0000002b, 0x0000007f, 0x00002013 | 0x7b,
        0x0000207f, 0xfffff06b, 0x30200073, 0x7b200073, 0x00200073, 0x10200573, 0x02000077,
        0x0000600f, 0xfe007053 | 7 << 12,
    };

    csr_clear(CSR_SSTATUS, SSTATUS_FS);
    for (enum mode mode = MODE_U; mode <= MODE_S; mode++)
        for (size_t i = 0; i < sizeof insns / sizeof *insns; i++) {
            illegal_try(mode, insns[i], (u64)two_pages);
            illegal_try(mode, insns[i], (u64)two_pages + 0x102);
            illegal_try(mode, insns[i], (u64)two_pages + CODE_SIZE - 2);
        }
}

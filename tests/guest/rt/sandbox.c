// SPDX-License-Identifier: MIT
// A sandbox for any instruction at all.
#include "sandbox.h"

#include "fp.h"
#include "page.h"

#define C_EBREAK 0x9002
#define MIDDLE   (CODE_SIZE / 2)
#define BASE     0x180000000ul          // nothing is near

static enum mode sandbox_mode;

// A jump or a branch to itself would not end.
static bool is_loop(u32 insn, int bytes)
{
    if (bytes == 4)
        return ((insn & 0x7f) == 0x6f && insn >> 12 == 0)
            || ((insn & 0x7f) == 0x63 && (insn & 0xfe000f80) == 0);
    if ((insn & 3) != 1)
        return false;
    return (insn >> 13 == 5 && (insn & 0x1ffc) == 0)
        || (insn >> 13 >= 6 && (insn & 0x1c7c) == 0);
}

void sandbox_open(enum mode mode)
{
    static const struct fp zeros;
    struct space space;

    for (u64 at = 0; at < CODE_SIZE; at += 2)
        *(u16 *)&code_page[at] = C_EBREAK;
    fence_i();

    fs_set(FS_CLEAN);
    fp_load(&zeros);
    fs_set(FS_CLEAN);
    pages_reset();
    space_make(&space, 3);
    space_map(&space, BASE, (u64)code_page, PTE_V | PTE_R | PTE_X | PTE_AD
              | (mode == MODE_U ? PTE_U : 0), 0);
    space_enter(&space, 0);
    sandbox_mode = mode;
}

void sandbox_close(void)
{
    space_leave();
}

u64 sandbox_try(u64 h, u32 insn, int bytes)
{
    struct cpu c;

    if (is_loop(insn, bytes))
        return h;
    for (int i = 0; i < bytes / 2; i++)
        *(u16 *)&code_page[MIDDLE + 2 * i] = insn >> 16 * i;
    fence_i();
    cpu_init(&c, sandbox_mode, BASE + MIDDLE);
    for (u64 i = 1; i < 32; i++)
        c.x[i] = 0x100000000 + i * 0x100010;
    cpu_run(&c);
    for (int i = 0; i < bytes / 2; i++)
        *(u16 *)&code_page[MIDDLE + 2 * i] = C_EBREAK;

    detail("%0*x: cause %lu pc %+ld tval %lx", bytes * 2, insn, c.cause,
           (long)(c.pc - BASE - MIDDLE), c.tval);
    h = hash_add(h, c.cause);
    h = hash_add(h, c.pc - BASE);
    h = hash_add(h, c.tval);
    for (u64 i = 1; i < 32; i++) {
        h = hash_add(h, c.x[i]);
        if (c.x[i] != 0x100000000 + i * 0x100010)
            detail(" x%lu=%lx", i, c.x[i]);
    }
    detail("\n");
    return h;
}

u64 sandbox_fp(u64 h)
{
    struct fp fp;

    fp_store(&fp);
    for (int i = 0; i < 32; i++)
        h = hash_add(h, fp.f[i]);
    return hash_add(h, fp.fcsr);
}

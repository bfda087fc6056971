// SPDX-License-Identifier: MIT
// Executes random words, in vS and in vU, Bare and with paging, from a seed.  A page of them is
// entered at a random place with registers that point at RAM, devices, holes and nowhere; each trap
// ends a run, and the next begins at another place.  A timer ends what loops.
// Left out are only writes of the few CSRs through which the attacker would lose itself.
// Shows: G2 C1 C4 O4
#include "hostile.h"

#define SCRATCH (RAM + 32 * MIB)
#define VA      0x700000000ul
#define WORDS   (CODE_SIZE / 4)

static u64           seed, runs, timed_out;
static struct space  space;

// Writes to stvec, sscratch, satp or stimecmp; calls and a mode change that would end it all.
static bool would_be_lost(u32 insn)
{
    u32 csr = insn >> 20;

    if ((insn & 0x7f) != 0x73)
        return false;
    return csr == CSR_STVEC || csr == CSR_SSCRATCH || csr == CSR_SATP || csr == CSR_STIMECMP ||
           csr == CSR_SIE || insn == 0x10200073;
}

static u32 random_word(void)
{
    static const u32 shapes[] = {
        0x73, 0x1073, 0x2073, 0x3073, 0x5073, 0x6073, 0x7073, 0x12000073, 0x16000073, 0x10500073,
        0x00000003, 0x00001003, 0x00003003, 0x00000023, 0x00002023, 0x00003023, 0x0000202f,
        0x1000302f,
        0x1800302f, 0x0000000f, 0x0000100f, 0x0000200f, 0x00000007, 0x00003007, 0x00003027,
        0x00000053,
        0x00000067, 0x0000006f, 0x00000063, 0x00000013, 0x00000033, 0x00000017,
    };
    u32 word = (u32)random_next(&seed);

    switch (any_below(4, &seed)) {
    case 0:  return word;
    case 1:  return (u32)any_of(shapes, &seed) | (word & 0xfff07f80);
    case 2:  return (u32)any_of(shapes, &seed) | (word & 0x01ff8f80);
    default: return (word & 0xffff0000) | (u32)any_below(0x10000, &seed);
    }
}

static void page_fill(void)
{
    u32 *to = (u32 *)code_page;

    for (size_t i = 0; i < WORDS; i++)
        do
            to[i] = random_word();
        while (would_be_lost(to[i]) || (i && would_be_lost(to[i] << 16 | to[i - 1] >> 16)));
    fence_i();
}

static u64 random_register(void)
{
    static const u64 bases[] = { SYSCON + 4, RTC, CLINT, PLIC, PLIC + 0x200000, UART + 1,
                                 VIRTIO, 0x30000000, VA };

    switch (any_below(4, &seed)) {
    case 0:  return any_of(bases, &seed) + any_below(0x2000, &seed);
    case 1:  return edge_number(&seed);
    case 2:  return random_next(&seed);
    default: return SCRATCH + any_below(MIB, &seed);
    }
}

// SBI calls from a random page have arguments at random, but would end the attack with these.
static bool calls_end(const struct cpu *c)
{
    return c->x[A7] == 8 || c->x[A7] == SBI_SRST || c->x[A7] == SBI_HSM;
}

static void run(enum mode mode, u64 base)
{
    struct cpu c;

    cpu_init(&c, mode, base + any_below(CODE_SIZE / 2, &seed) * 2);
    for (int i = 1; i < 32; i++)
        c.x[i] = random_register();
    if (calls_end(&c))
        c.x[A7] = 1ul << 40;
    c.sstatus |= SSTATUS_SPIE | (random_next(&seed) & (SSTATUS_SUM | SSTATUS_MXR | SSTATUS_FS));
    timer_set(time_now() + 2000);
    csr_write(CSR_SIE, INT_STI);
    cpu_run(&c);
    csr_write(CSR_SIE, 0);
    csr_clear(CSR_SSTATUS, SSTATUS_SUM | SSTATUS_MXR);
    timed_out += c.cause == (CAUSE_INTERRUPT | 5);
    runs++;
}

GUEST(words)
{
    static struct space *const spaces[] = { NULL, &space };

    seed = arg("seed", 1);
    pages_reset();
    space_make(&space, 3);
    space_map(&space, VA, SCRATCH, PTE_KERNEL | PTE_U, 1);
    for (u64 at = (u64)user_start; at < (u64)user_end; at += PAGE)
        space_map(&space, VA + level_size(2) + at - (u64)user_start, at,
                  PTE_KERNEL & ~(u64)PTE_W, 0);
    for (u64 round = 1;; round++) {
        for (int n = 0; n < 40; n++) {
            bool paging = spaces[n % 2] != NULL;

            page_fill();
            if (paging)
                space_enter(&space, 1);
            for (int i = 0; i < 50; i++) {
                enum mode mode = any_below(2, &seed) ? MODE_S : MODE_U;
                u64       at   = (u64)code_page;

                if (paging && mode == MODE_U)
                    at = user_alias(at);
                else if (paging)
                    at += VA + level_size(2) - (u64)user_start;
                run(mode, at);
            }
            if (paging)
                space_leave();
        }
        say("round %lu steps=%lu timed_out=%lu", round, runs, timed_out);
    }
}

// SPDX-License-Identifier: MIT
// A user process with nothing mapped at first: the kernel maps a page at each fault, read-only
// until the first store, and copies on write after a fork; the process sorts numbers over them
// meanwhile.
// Shows: P1 P6 C4
#include "page.h"

#define HEAP  0x50000000ul
#define PAGES 48ul
#define COUNT (PAGES * PAGE / 8)

void process_code(void);

// Fills COUNT numbers at a0 from the seed a1, then bubbles along them a2 times, with an ecall after
// each round, and ends with the sum in a0 and ebreak.
__asm__(
    "       .section .user, \"ax\"\n"
    "       .balign 4\n"
    "process_code:\n"
    "       mv      t0, a0\n"
    "       li      t1, 24576\n"
    "1:     sd      a1, (t0)\n"
    "       slli    t2, a1, 13\n"
    "       xor     a1, a1, t2\n"
    "       srli    t2, a1, 7\n"
    "       xor     a1, a1, t2\n"
    "       addi    t0, t0, 8\n"
    "       addi    t1, t1, -1\n"
    "       bnez    t1, 1b\n"
    "2:     mv      t0, a0\n"
    "       li      t1, 24575\n"
    "3:     ld      t2, 0(t0)\n"
    "       ld      t3, 8(t0)\n"
    "       bleu    t2, t3, 4f\n"
    "       sd      t3, 0(t0)\n"
    "       sd      t2, 8(t0)\n"
    "4:     addi    t0, t0, 8\n"
    "       addi    t1, t1, -1\n"
    "       bnez    t1, 3b\n"
    "       ecall\n"
    "       addi    a2, a2, -1\n"
    "       bnez    a2, 2b\n"
    "       ebreak\n"
    "       .text\n");

static u64          faults, stores, copies, calls;
static struct space spaces[2];

static void fault_serve(struct space *space, u64 va, bool store)
{
    pte_t *slot = space_slot(space, va, 0);
    u64    from = *slot >> 10 << 12;

    if (va < HEAP || va >= HEAP + PAGES * PAGE)
        guest_fail("a fault outside of the heap");
    faults++;
    if (!(*slot & PTE_V)) {
        *slot = pte_make((u64)page_take(), (PTE_USER & ~PTE_W) | 0x100);        // RSW: its own
    } else if (store && !(*slot & 0x100)) {
        u64 *page = page_take();

        for (u64 i = 0; i < PAGE / 8; i++)
            page[i] = ((u64 *)from)[i];
        *slot = pte_make((u64)page, PTE_USER | 0x100);
        copies++;
    } else if (store) {
        *slot |= PTE_W;
        stores++;
    }
    sfence_va(va);
}

// Runs the process until its next ecall or its end.
static bool process_run(struct cpu *c, struct space *space)
{
    for (;;) {
        cpu_run(c);
        switch (c->cause) {
        case CAUSE_LOAD_PAGE:   fault_serve(space, c->tval, false);     break;
        case CAUSE_STORE_PAGE:  fault_serve(space, c->tval, true);      break;
        case CAUSE_ECALL_U:     c->pc += 4; calls++;                    return true;
        case CAUSE_BREAKPOINT:                                          return false;
        default:                guest_fail("an unexpected trap");
        }
    }
}

static void fork(void)
{
    for (u64 i = 0; i < PAGES; i++) {
        pte_t *slot = space_slot(&spaces[0], HEAP + i * PAGE, 0);

        *slot &= ~(u64)(PTE_W | 0x100);
        *space_slot(&spaces[1], HEAP + i * PAGE, 0) = *slot;
    }
    sfence_all();
}

static u64 heap_hash(void)
{
    u64 h = HASH_START;

    csr_set(CSR_SSTATUS, SSTATUS_SUM);
    for (u64 i = 0; i < COUNT; i += 5)
        h = hash_add(h, peek64(HEAP + i * 8));
    csr_clear(CSR_SSTATUS, SSTATUS_SUM);
    return h;
}

GUEST(page_demand)
{
    struct cpu parent, child;
    bool       running = true;

    space_make(&spaces[0], 3);
    space_make(&spaces[1], 3);
    space_enter(&spaces[0], 1);
    cpu_init(&parent, MODE_U, user_alias((u64)process_code));
    parent.x[A0] = HEAP;
    parent.x[A1] = 88172645463325252;
    parent.x[A2] = 8;
    for (int i = 0; i < 3; i++)
        process_run(&parent, &spaces[0]);
    printf("before the fork: %lu faults, %lu first stores, %lu calls\n", faults, stores, calls);

    fork();
    child = parent;
    child.x[A2] = 4;
    while (running) {
        csr_write(CSR_SATP, space_satp(&spaces[1], 2));
        running = process_run(&child, &spaces[1]);
        csr_write(CSR_SATP, space_satp(&spaces[0], 1));
        process_run(&parent, &spaces[0]);
    }
    printf("parent %016lx\n", heap_hash());
    csr_write(CSR_SATP, space_satp(&spaces[1], 2));
    printf("child %016lx\n", heap_hash());
    space_leave();
    printf("%lu faults, %lu first stores, %lu copies, %lu calls\n", faults, stores, copies, calls);
}

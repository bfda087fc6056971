// SPDX-License-Identifier: MIT
// Device registers through page tables: from the kernel and from a user-mode driver, read-only and
// not at all, and under a 1 GiB page.
// Shows: P4 D8
#include "access.h"
#include "board.h"
#include "page.h"

#define VA  0x180000000ul
#define BIG 0x200000000ul

static void access_print(const char *what, enum mode mode, int kind, u64 at)
{
    struct cpu c;
    u64        cause = access_try(&c, mode, kind, at, 0x5a);

    printf("%s: %s a0 %#lx\n", what, cause_text(cause), accesses[kind].loads ? c.x[A0] : 0);
}

GUEST(page_device)
{
    struct space space;

    space_make(&space, 3);
    space_map(&space, VA, UART, PTE_KERNEL & ~PTE_X, 0);
    space_map(&space, VA + PAGE, UART, PTE_USER, 0);
    space_map(&space, VA + 2 * PAGE, UART, PTE_USER & ~PTE_W, 0);
    space_map(&space, BIG, 0, PTE_KERNEL & ~PTE_X, 2);
    space_enter(&space, 0);
    access_print("kernel, LSR", MODE_S, ACCESS_LBU, VA + UART_LSR);
    access_print("kernel, SCR", MODE_S, ACCESS_SB, VA + UART_SCR);
    access_print("kernel, SCR", MODE_S, ACCESS_LB, VA + UART_SCR);
    access_print("kernel's, from U", MODE_U, ACCESS_LBU, VA + UART_LSR);
    access_print("user, LSR", MODE_U, ACCESS_LBU, VA + PAGE + UART_LSR);
    access_print("user, SCR", MODE_U, ACCESS_SB, VA + PAGE + UART_SCR);
    access_print("user, SCR", MODE_U, ACCESS_LB, VA + PAGE + UART_SCR);
    access_print("user's, from S", MODE_S, ACCESS_LBU, VA + PAGE + UART_LSR);
    access_print("read-only, LSR", MODE_U, ACCESS_LBU, VA + 2 * PAGE + UART_LSR);
    access_print("read-only, SCR", MODE_U, ACCESS_SB, VA + 2 * PAGE + UART_SCR);
    access_print("1 GiB, LSR", MODE_S, ACCESS_LBU, BIG + UART + UART_LSR);
    access_print("1 GiB, RTC, no such page in U", MODE_U, ACCESS_LW, BIG + RTC);
    access_print("1 GiB, hole", MODE_S, ACCESS_LW, BIG + 0x0b000000);
    access_print("1 GiB, priority", MODE_S, ACCESS_LW, BIG + PLIC_PRIORITY(1));
    space_leave();
}

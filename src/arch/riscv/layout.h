// SPDX-License-Identifier: MIT
// Where the linker puts the monitor, and the size of its stacks.  Read by assembly, C and the
// linker script.
#pragma once

#define LINK_BASE    0x80000000 // any other page works: the image relocates itself
#define MAX_HARTS    8
#define STACK_GUARD  4096 // no access, by PMP: an overflow traps instead of corrupting
#define STACK_SIZE   16384
#define STACK_STRIDE (STACK_GUARD + STACK_SIZE)

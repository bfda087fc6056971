// SPDX-License-Identifier: MIT
// Mistakes, made on purpose: what a bug in the monitor might do, to show that it does not get far.
//
// In:     which one.
// Out:    a panic.
// Always: not in the monitor that anybody runs.
// Locks:  none.
#include "mon/self_harm.h"

#ifdef TEST_SELF_HARM
#include "arch/riscv/image.h"
#include "lib/panic.h"

#include <string.h>

__attribute__((noinline)) static u64 overflow(const volatile u64 *below)
{
    volatile u64 here[64];

    here[0] = *below + 1;
    return *below ? overflow(here) + here[0] : 0;
}

__attribute__((noinline)) static void smash(volatile size_t len)
{
    char           text[16];
    volatile char *to = text;

    for (size_t i = 0; i < len; i++)
        to[i] = 'x';
}

void self_harm(const char *name)
{
    volatile u64 one = 1, at = 0;

    // clang-format off
    switch (name[strlen(name) - 1]) {
    case '1': *(volatile u32 *)_image_start = 0;         break; // text is read-execute
    case '2': *(volatile u32 *)_text_end = 0;            break; // constants are read-only
    case '3': one = overflow(&one);                      break; // the guard under the stack
    case '4': ((void (*)(void))at)();                    break; // a call of NULL
    case '5': ((void (*)(void))(u64)_text_end)();        break; // constants are no code
    case '6': smash(64);                                 break; // the stack protector
    case '7': ASSERT(!one);                              break;
    case '8': at = *(volatile u64 *)(0x3ul << 40);       break; // nothing is there
    case '9': __builtin_trap();                        break; // no instruction
    default:                                             break;
    }
    // clang-format on
}

void self_harm_elsewhere(const char *name)
{
    volatile u64 one = 1;

    switch (name[strlen(name) - 1]) {
    case 'a': ASSERT(!one); break;
    case 'b': __builtin_trap(); break;
    case 'c': (void)overflow(&one); break;
    default:  break;
    }
}
#endif

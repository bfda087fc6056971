// SPDX-License-Identifier: MIT
// Misaligned LR, SC and AMO: the trap, its stval, and memory untouched.  An SC without a
// reservation may fail before anybody looks at its address.
// Shows: C4 C11
#include "access.h"

static u64 memory[4];

GUEST(trap_misaligned_atomic)
{
    for (enum mode mode = MODE_U; mode <= MODE_S; mode++)
        for (int kind = ACCESS_LR_W; kind <= ACCESS_AMO_D; kind++)
            for (u64 offset = 1; offset < 8; offset++) {
                struct cpu c;
                u64        cause;

                if (offset % (u64)accesses[kind].bytes == 0)
                    continue;
                memory[0] = memory[1] = 0x0102030405060708;
                cause = access_try(&c, mode, kind, (u64)memory + offset, 1);
                printf("%c %s +%lu: %s tval %+ld, memory %s\n", mode == MODE_U ? 'U' : 'S',
                       accesses[kind].name, offset, cause_text(cause),
                       cause == CAUSE_NONE ? 0 : (long)(c.tval - (u64)memory),
                       memory[0] == 0x0102030405060708 && memory[1] == memory[0] ? "kept"
                                                                                 : "changed");
            }
}

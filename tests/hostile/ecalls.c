// SPDX-License-Identifier: MIT
// Loops on every exception that an instruction can raise, from S and from U, thousands of times
// each: calls of functions that are not there, breakpoints, illegal instructions, misaligned and
// forbidden loads, stores, fetches, atomics.  Each must arrive in this guest, with its cause.
// Shows: C4 C13
#include "hostile.h"
#include "insn.h"

#define TIMES 300

// clang-format off
static const struct { u32 insn; u64 a1; u64 cause; } raises[] = {
    { 0x00000073, 0,          CAUSE_ECALL_U          },
    { 0x00100073, 0,          CAUSE_BREAKPOINT       },
    { 0x00009002, 0,          CAUSE_BREAKPOINT       },     // c.ebreak
    { 0x00000000, 0,          CAUSE_ILLEGAL          },
    { 0xffffffff, 0,          CAUSE_ILLEGAL          },
    { 0x30200073, 0,          CAUSE_ILLEGAL          },     // mret
    { 0x7b200073, 0,          CAUSE_ILLEGAL          },     // dret
    { 0x34202573, 0,          CAUSE_ILLEGAL          },     // csrr a0, mcause
    { 0x7a002573, 0,          CAUSE_ILLEGAL          },     // csrr a0, tselect
    { 0x68002573, 0,          CAUSE_ILLEGAL          },     // csrr a0, hgatp
    { 0x0005b503, 0x40000000, CAUSE_LOAD_ACCESS      },     // ld a0, (a1)
    { 0x00a5b023, 0x40000000, CAUSE_STORE_ACCESS     },     // sd a0, (a1)
    { 0x0005b503, 0x02000000, CAUSE_LOAD_ACCESS      },     // the CLINT, which is closed to S and U
    { 0x00a5b023, 0x02004000, CAUSE_STORE_ACCESS     },
    { 0x0005b503, 0x0c000000, CAUSE_LOAD_ACCESS      },     // eight bytes of the PLIC
    { 0x1005b52f, 0x40000000, CAUSE_LOAD_ACCESS      },     // lr.d a0, (a1)
    { 0x1005b52f, 0x10000000, CAUSE_LOAD_ACCESS      },
    { 0x00a5b52f, 0x10000000, CAUSE_STORE_ACCESS     },     // amoadd.d a0, a0, (a1)
    { 0x00a5b52f, 0x80200001, CAUSE_STORE_MISALIGNED },
    { 0x1005b52f, 0x80200001, CAUSE_LOAD_MISALIGNED  },
    { 0x000580e7, 0x40000000, CAUSE_FETCH_ACCESS     },     // jalr (a1)
    { 0x000580e7, 0x10000000, CAUSE_FETCH_ACCESS     },
    { 0x000580e7, 0x0c000000, CAUSE_FETCH_ACCESS     },
    { 0x000580e7, ~1ul,       CAUSE_FETCH_ACCESS     },
};
// clang-format on

// Where a hart may tell one of two, or QEMU tells the other, both are right.
static bool is_right(u64 got, u64 wanted, u32 insn)
{
    bool atomic = (insn & 0x7f) == 0x2f;

    return got == wanted ||
           (atomic && (got == CAUSE_LOAD_ACCESS || got == CAUSE_STORE_ACCESS ||
                       got == CAUSE_LOAD_MISALIGNED || got == CAUSE_STORE_MISALIGNED));
}

static void loop(enum mode mode, size_t i)
{
    struct cpu c;
    u64        base = CODE(raises[i].insn, 0x00100073), wrong = 0, first = 0;

    if (mode == MODE_S && raises[i].cause == CAUSE_ECALL_U)
        return;
    for (int n = 0; n < TIMES; n++) {
        cpu_init(&c, mode, base);
        c.x[A1] = raises[i].a1;
        cpu_run(&c);
        if (!is_right(c.cause, raises[i].cause, raises[i].insn))
            first = wrong++ ? first : c.cause;
    }
    if (wrong)
        say("BAD %c insn %#x at %#lx: %lu times cause %#lx", mode == MODE_S ? 'S' : 'U',
            raises[i].insn, raises[i].a1, wrong, first);
}

GUEST(ecalls)
{
    for (u64 round = 1;; round++) {
        for (enum mode mode = MODE_U; mode <= MODE_S; mode++)
            for (size_t i = 0; i < ARRAY_LEN(raises); i++)
                loop(mode, i);
        for (u64 i = 0; i < TIMES; i++)
            if (sbi_call(0x0a000000 + i, i, i, i).error != -2)
                say("BAD an SBI extension that nobody has");
        say("round %lu", round);
    }
}

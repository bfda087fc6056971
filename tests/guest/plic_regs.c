// SPDX-License-Identifier: MIT
// The PLIC's registers: which bits of priorities, enables and thresholds stick, source 0, the
// sources around the edges, and the gaps.
// Shows: D9 D8
#include "access.h"
#include "board.h"

static void walk(const char *what, u64 at)
{
    struct cpu c;
    u64        cause = access_try(&c, MODE_S, ACCESS_LW, at, 0), ones, zeros, old = c.x[A0];

    if (cause != CAUSE_NONE) {
        printf("%s: %s\n", what, cause_text(cause));
        return;
    }
    poke32(at, ~0u);
    ones = peek32(at);
    poke32(at, 0);
    zeros = peek32(at);
    poke32(at, old);
    printf("%s: ones %lx, zeros %lx\n", what, at == PLIC_ENABLE(CONTEXT_S, 0) ? ones & ~1ul : ones,
           zeros);
}

GUEST(plic_regs)
{
    static const u32 sources[] = { 0, 1, 2, 7, 10, 11, 31, 32, 33, 63, 64, 94, 95 };
    static const u64 gaps[] = {
        0x184, 0xffc, 0x100c, 0x1ffc, 0x208c, 0x1f2000, 0x201008, 0x201ffc,
    };
    char             name[32];

    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        snprintf(name, sizeof name, "priority %u", sources[i]);
        walk(name, PLIC_PRIORITY(sources[i]));
    }
    for (u32 word = 0; word < 3; word++) {
        snprintf(name, sizeof name, "S enable word %u", word);
        walk(name, PLIC_ENABLE(CONTEXT_S, word));
    }
    walk("S threshold", PLIC_THRESHOLD(CONTEXT_S));
    for (u32 word = 0; word < 3; word++) {
        snprintf(name, sizeof name, "pending word %u", word);
        walk(name, PLIC_PENDING(word));
    }
    for (u64 value = 0; value < 16; value++) {
        poke32(PLIC_PRIORITY(3), value);
        poke32(PLIC_THRESHOLD(CONTEXT_S), value);
        printf("write %lu: priority %lu threshold %lu\n", value, peek32(PLIC_PRIORITY(3)),
               peek32(PLIC_THRESHOLD(CONTEXT_S)));
    }
    poke32(PLIC_PRIORITY(3), 0);
    poke32(PLIC_THRESHOLD(CONTEXT_S), 0);
    printf("claim with nothing: %u\n", plic_claim());
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        snprintf(name, sizeof name, "gap +%lx", gaps[i]);
        walk(name, PLIC + gaps[i]);
    }
}

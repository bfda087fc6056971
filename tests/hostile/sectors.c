// SPDX-License-Identifier: MIT
// An honest guest with a partition of its own, beside those who attack the same disk: what it writes
// is what it reads, all of it comes back, and no request takes a second.  Command line: seed=<n>,
// and patience_ms=<n> where time is a busy host's.
// Shows: D10 D12
#include "hostile.h"
#include "virtio.h"

#define SPAN   512 // sectors that it uses
#define AT_ONCE 16

static u64 data[AT_ONCE][SECTOR / 8];
static u32 written[SPAN]; // by which turn
static u64 seed;

static u64 word(u64 sector, u64 turn, u64 i)
{
    return (sector << 32 | turn << 8 | i) * 0x9e3779b97f4a7c15ul + arg("seed", 1);
}

// So many requests at once, on different sectors, to their end.
static void requests_do(u32 type, u64 first)
{
    u32 head, told;

    for (u16 n = 0; n < AT_ONCE; n++) {
        disk_describe(n, type, first + n, data[n], SECTOR);
        disk_offer((u16)(3 * n));
    }
    disk_kick();
    for (u32 n = 0; n < AT_ONCE; n++)
        if (!disk_wait(&head, &told)) {
            say("BAD a request is not back after %lu ms", disk_patience_ms);
            rest();
        } else if (disk_status[head / 3] || told != (type == T_IN ? SECTOR + 1 : 1))
            say("BAD status %u, told %u", disk_status[head / 3], told);
}

static void turn_do(u32 turn)
{
    u64 first = any_below(SPAN / AT_ONCE, &seed) * AT_ONCE;

    requests_do(T_IN, first);
    for (u64 n = 0; n < AT_ONCE; n++)
        for (u64 i = 0; i < SECTOR / 8; i++) {
            if (written[first + n] && data[n][i] != word(first + n, written[first + n], i))
                say("BAD sector %lu, word %lu", first + n, i);
            data[n][i] = word(first + n, turn, i);
        }
    requests_do(T_OUT, first);
    for (u64 n = 0; n < AT_ONCE; n++)
        written[first + n] = turn;
}

GUEST(sectors)
{
    u32 turn = 0, told;

    seed             = arg("seed", 1) * 99991;
    disk_patience_ms = arg("patience_ms", 1000);
    disk_start(F_VERSION_1 | F_FLUSH | F_EVENT_IDX);
    for (u64 round = 1;; round++) {
        for (u32 i = 0; i < 50; i++)
            turn_do(++turn);
        if (disk_request(T_FLUSH, 0, NULL, 0, &told))
            say("BAD flush");
        say("round %lu", round);
    }
}
